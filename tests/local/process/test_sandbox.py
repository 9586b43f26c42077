"""Isolation: what commands see, and that stopping them is the same as without it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import herodeploy
from herodeploy.local.process import machine, process, sandbox
from herodeploy.local.process.process import Command
from herodeploy.local.process.sandbox import Mount, Sandbox

APP = Path("/app")


class Box:
    """Commands in one sandbox, with an app's folder and a /tmp."""

    def __init__(self, box: Sandbox, folder: Path) -> None:
        self.box, self.app, self.tmp = box, folder / "disk" / "app", folder / "disk" / "tmp"
        for path in (self.app, self.tmp):
            path.mkdir(parents=True)

    def command(self, script: str, **env: str) -> Command:
        command = Command(["bash", "-c", script], self.app, process.clean_env({"HOME": str(APP), **env}))
        return self.box.enclose(command, [Mount(self.app, APP), Mount(self.tmp, Path("/tmp"))], APP)

    def says(self, script: str, **env: str) -> list[str]:
        lines: list[str] = []
        assert asyncio.run(process.run(self.command(script, **env), lines.append)) == 0, lines
        return lines

    def processes(self) -> set[int]:
        """All processes on this machine that have the app's folder mounted at /app."""
        found, mark = set(), "/".join(self.app.parts[-5:]) + " /app "
        for each in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if each.name.isdigit() and mark in (each / "mountinfo").read_text():
                    found.add(int(each.name))
        return found


@pytest.fixture(scope="session")
def isolation() -> Sandbox:
    found = sandbox.choose("auto")
    if found.sandbox is None:
        pytest.skip(f"no isolation on this machine: {found.why_not}")
    return found.sandbox


@pytest.fixture
def box(isolation: Sandbox, tmp_path: Path) -> Box:
    return Box(isolation, tmp_path)


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_the_app_is_at_home_and_tmp_is_private(box: Box, tmp_path: Path) -> None:
    (box.app / "file").write_text("mine")
    assert box.says("pwd; echo $HOME; cat file; echo; echo made > new; echo there > /tmp/x") == ["/app", "/app", "mine"]
    assert (box.app / "new").read_text() == "made\n"
    assert (box.tmp / "x").read_text() == "there\n"
    assert box.says(f"ls {tmp_path} 2>/dev/null || echo no such folder") == ["no such folder"]


def test_nothing_of_the_users_can_be_read_and_the_system_cannot_be_written(box: Box) -> None:
    home = box.says(f"ls -A {Path.home()} 2>/dev/null || true")
    allowed = {Path(name).parts[0] for name in machine.MANAGERS}
    allowed |= {
        path.relative_to(Path.home()).parts[0] for path in machine.interpreters() if path.is_relative_to(Path.home())
    }
    ours = Path(herodeploy.__file__).parent
    allowed |= {ours.relative_to(Path.home()).parts[0]} if ours.is_relative_to(Path.home()) else set()
    assert set(home) <= allowed
    for place in ("/usr/x", "/etc/x", "/x", "/app/../x"):
        assert box.says(f"touch {place} 2>/dev/null || echo read-only") == ["read-only"]
    assert box.says("whoami; id -u; grep CapEff /proc/self/status") == ["dyno", "1000", "CapEff:\t0000000000000000"]


def test_the_machines_folder_for_temporary_files_is_not_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    assert box.says('echo "${TMPDIR:-none} $GIVEN"', GIVEN="yes") == ["none yes"]
    assert box.says("echo $TMPDIR", TMPDIR="/of/the/app") == ["/of/the/app"]


def test_processes_outside_can_neither_be_seen_nor_ended(box: Box) -> None:
    assert len(box.says("ls -d /proc/[0-9]*")) <= 3
    assert box.says(f"kill -0 {os.getpid()} 2>/dev/null || echo unknown") == ["unknown"]
    assert box.says("kill -9 1; echo the guard is still there") == ["the guard is still there"]


def test_passwords_and_keys_of_the_system_are_hidden(box: Box) -> None:
    assert box.says("cat /etc/shadow 2>/dev/null | wc -c; ls -A /etc/ssl/private 2>/dev/null | wc -l") == ["0", "0"]


def test_the_network_is_the_machines(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert box.says(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached") == ["reached"]


@pytest.mark.parametrize("tool", ["python3", "node", "npm", "git", "tar"])
def test_interpreters_of_this_machine_are_reachable(tool: str, box: Box) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine")
    assert box.says(f"{tool} --version")


def test_paths_that_are_shown_can_be_written_and_may_go(isolation: Sandbox, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.mkdir()
    found = sandbox.choose("auto", (shown, tmp_path / "absent"))
    assert found.sandbox is not None
    box = Box(found.sandbox, tmp_path)
    box.says(f"echo hello > {shown}/x")
    assert (shown / "x").read_text() == "hello\n"
    shutil.rmtree(shown)
    assert box.says("echo still") == ["still"]


@pytest.mark.usefixtures("isolation")
def test_a_home_inside_of_the_system_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any folder of the system that has something in it may stand for a home."""
    monkeypatch.setenv("HOME", "/usr/share/doc")
    found = Sandbox(str(shutil.which("bwrap")))
    assert Box(found, tmp_path).says("ls -A /usr/share/doc; echo nothing") == ["nothing"]


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_the_exit_status_is_the_commands(script: str, status: int, box: Box) -> None:
    assert asyncio.run(process.run(box.command(script), [].append)) == status


def test_what_cannot_be_mounted_is_an_error(box: Box, tmp_path: Path) -> None:
    command = Command(["true"], tmp_path, {})
    bad = box.box.enclose(command, [Mount(tmp_path / "absent", APP)], APP)
    with pytest.raises(OSError, match=r"did not start: bwrap: .*absent"):
        asyncio.run(process.run(bad, [].append))


def test_sigterm_reaches_every_process_and_all_may_end_in_peace(box: Box) -> None:
    """The first process dies of the signal; the second, of another group, takes its time."""
    inner = "trap 'sleep 0.2; echo child ended; exit 0' TERM; echo ready; while :; do sleep 0.02; done"
    script = f'setsid bash -c "{inner}" & exec sleep 1000'

    async def story() -> list[str]:
        lines: list[str] = []
        child = await process.start(box.command(script), lines.append)
        await until(lambda: "ready" in lines)
        assert await child.stop(20) == 143
        return lines

    assert asyncio.run(story())[-1] == "child ended"
    assert not box.processes()


def test_sigkill_ends_what_ignores_sigterm(box: Box) -> None:
    async def story() -> int:
        lines: list[str] = []
        child = await process.start(box.command("trap '' TERM; echo ready; while :; do sleep 1; done"), lines.append)
        await until(lambda: lines)
        return await child.stop(0.1)

    assert asyncio.run(story()) == 137
    assert not box.processes()


def test_stopped_before_it_began_it_ends_too(box: Box) -> None:
    async def story() -> int:
        child = await process.start(box.command("exec sleep 1000"), [].append)
        return await child.stop(30)

    assert asyncio.run(story()) == 143


def test_the_end_of_the_command_ends_what_it_left_running(box: Box) -> None:
    assert box.says("setsid sleep 1000 & sleep 1000 & echo ended") == ["ended"]
    assert not box.processes()


def kill_bubblewrap(child: process.Process) -> None:
    os.kill(child.guard_pid, signal.SIGKILL)


def kill_group(child: process.Process) -> None:
    os.killpg(child.pid, signal.SIGKILL)


@pytest.mark.parametrize("end", [kill_bubblewrap, kill_group])
def test_its_outer_process_can_be_killed_without_leaving_a_trace(
    end: Callable[[process.Process], None], box: Box
) -> None:
    async def story() -> int:
        lines: list[str] = []
        child = await process.start(box.command("setsid sleep 1000 & echo ready; wait"), lines.append)
        await until(lambda: lines)
        assert len(box.processes()) >= 3
        end(child)
        return await child.wait()

    assert asyncio.run(story()) == 137
    asyncio.run(until(lambda: not box.processes()))


def test_kill_9_of_the_parent_leaves_no_process(box: Box, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from herodeploy.local.process import process, sandbox
        process.GRACE = 0.2
        async def main():
            app = Path(sys.argv[1])
            box = sandbox.choose("required").sandbox
            command = process.Command(["bash", "-c", sys.argv[2]], app, process.clean_env({}))
            mounts = [sandbox.Mount(app, Path("/app"))]
            child = await process.start(box.enclose(command, mounts, Path("/app")), print)
            await child.wait()
        asyncio.run(main())
        """
    )
    script = "trap '' TERM; setsid sleep 1000 & touch begun; while :; do sleep 1; done"
    with subprocess.Popen([sys.executable, "-c", program, str(box.app), script]) as parent:
        asyncio.run(until((box.app / "begun").exists))
        assert len(box.processes()) >= 3
        parent.kill()
    asyncio.run(until(lambda: not box.processes()))


@pytest.fixture
def fresh() -> Iterator[None]:
    """Forget what was found out before, and afterwards."""
    sandbox._available.cache_clear()
    yield
    sandbox._available.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is Linux's")
def test_a_machine_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sandbox.choose("auto") == sandbox.Isolation(None, "bubblewrap (bwrap) is not installed")
    assert sandbox.choose("off") == sandbox.Isolation(None, "it is switched off")
    with pytest.raises(sandbox.IsolationUnavailable, match="is not installed"):
        sandbox.choose("required")


@pytest.mark.usefixtures("fresh")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is Linux's")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'bwrap: No permissions' >&2; exit 1", "bubblewrap does not work here: bwrap: No permissions"),
        ("exit 3", "bubblewrap does not work here: it ended with status 3"),
    ],
)
def test_a_bubblewrap_that_may_do_nothing(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert sandbox.choose("auto").why_not == reason


def test_off_never_isolates() -> None:
    assert sandbox.choose("off").sandbox is None
