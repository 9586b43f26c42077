from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from herodeploy.local.process import process
from herodeploy.local.process.process import Command, Process

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="escaped children are caught on Linux only"
)


def shell(script: str, cwd: Path, **env: str) -> Command:
    return Command(["bash", "-c", script], cwd, process.clean_env(env))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        if sys.platform.startswith("linux"):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
    return True


async def until(condition: object, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


def test_tells_lines_and_exit_status(tmp_path: Path) -> None:
    lines: list[str] = []
    status = asyncio.run(process.run(shell("pwd; echo err >&2; printf 'last'; exit 3", tmp_path), lines.append))
    assert status == 3
    assert lines == [str(tmp_path.resolve()), "err", "last"]


def test_signal_is_told_as_128_and_number(tmp_path: Path) -> None:
    assert asyncio.run(process.run(shell("kill -9 $$", tmp_path), [].append)) == 137


def test_unknown_command_says_so(tmp_path: Path) -> None:
    lines: list[str] = []
    assert asyncio.run(process.run(Command(["no-such-command"], tmp_path, process.clean_env({})), lines.append)) == 127
    assert lines == ["no-such-command: No such file or directory"]


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        asyncio.run(process.run(shell("true", tmp_path / "none"), [].append))


def test_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "secret")
    lines: list[str] = []
    asyncio.run(process.run(shell("env", tmp_path, GIVEN="yes"), lines.append))
    names = {line.partition("=")[0] for line in lines}
    assert "GIVEN=yes" in lines
    assert names <= {"PATH", "LANG", "LC_ALL", "TMPDIR", "TERM", "GIVEN", "PWD", "SHLVL", "_", "OLDPWD"}


def test_stop_reaches_every_process(tmp_path: Path) -> None:
    inner = "trap 'echo child; exit 0' TERM; echo ready; sleep 1000 & wait"
    script = f"trap 'echo parent; wait; exit 0' TERM; ({inner}) & wait"

    async def story() -> list[str]:
        lines: list[str] = []
        child = await process.start(shell(script, tmp_path), lines.append)
        await until(lambda: "ready" in lines)
        assert await child.stop(10) == 0
        return lines

    assert sorted(asyncio.run(story())) == ["child", "parent", "ready"]


def test_stop_kills_what_ignores_sigterm(tmp_path: Path) -> None:
    async def story() -> int:
        lines: list[str] = []
        child = await process.start(
            shell("trap '' TERM; echo ready; while :; do sleep 1; done", tmp_path), lines.append
        )
        await until(lambda: lines)
        return await child.stop(0.1)

    assert asyncio.run(story()) == 137


def test_the_end_of_the_command_ends_what_it_left_running(tmp_path: Path) -> None:
    lines: list[str] = []
    assert asyncio.run(process.run(shell("sleep 1000 & echo $!", tmp_path), lines.append)) == 0
    assert not alive(int(lines[0]))


@linux_only
def test_children_that_left_the_group_end_too(tmp_path: Path) -> None:
    async def story() -> int:
        lines: list[str] = []
        child = await process.start(
            shell("setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000", tmp_path), lines.append
        )
        await until(lambda: lines)
        await child.stop(5)
        return int(lines[0])

    assert not alive(asyncio.run(story()))


def test_timeout_stops_it(tmp_path: Path) -> None:
    lines: list[str] = []
    for timeout in (0.3, 3.0, 30.0):  # on a busy machine it has said nothing yet when a short one is over
        with pytest.raises(TimeoutError):
            asyncio.run(process.run(shell("echo $$; exec sleep 1000", tmp_path), lines.append, timeout=timeout))
        if lines:
            break
    assert not alive(int(lines[0]))


def test_cancelled_run_stops_it(tmp_path: Path) -> None:
    lines: list[str] = []

    async def story() -> None:
        task = asyncio.create_task(process.run(shell("echo $$; exec sleep 1000", tmp_path), lines.append))
        await until(lambda: lines)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert not alive(int(lines[0]))


def test_failing_receiver_ends_the_child_and_is_told(tmp_path: Path) -> None:
    def full(_: str) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        asyncio.run(process.run(shell("while :; do echo x; done", tmp_path), full))


def test_long_output_without_an_end_of_line_is_cut(tmp_path: Path) -> None:
    lines: list[str] = []
    asyncio.run(process.run(shell("head -c 200000 /dev/zero | tr '\\0' x", tmp_path), lines.append))
    assert sum(map(len, lines)) == 200000
    assert max(map(len, lines)) <= process.LONGEST_LINE


def test_kill_9_of_the_parent_leaves_no_process(tmp_path: Path) -> None:
    """Nothing of a platform's children may outlive it, not even one that changed its session."""
    escaped = "setsid sh -c 'echo $$ > escaped; exec sleep 1000' &" if sys.platform.startswith("linux") else ""
    script = f"trap '' TERM; {escaped} sleep 1000 & echo $! > worker; echo $$ > main; while :; do sleep 1; done"
    parent = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from herodeploy.local.process import process
        process.GRACE = 0.2
        async def main():
            cwd = Path(sys.argv[1])
            child = await process.start(process.Command(["bash", "-c", sys.argv[2]], cwd, process.clean_env({})), print)
            await child.wait()
        asyncio.run(main())
        """
    )
    wanted = ["main", "worker", *(["escaped"] if escaped else [])]
    with subprocess.Popen([sys.executable, "-c", parent, str(tmp_path), script]) as popen:
        asyncio.run(until(lambda: all((tmp_path / name).exists() and (tmp_path / name).read_text() for name in wanted)))
        popen.send_signal(signal.SIGKILL)
    pids = [int((tmp_path / name).read_text()) for name in wanted]
    asyncio.run(until(lambda: not any(map(alive, pids))))


def test_process_knows_its_end(tmp_path: Path) -> None:
    async def story() -> Process:
        child = await process.start(shell("exit 4", tmp_path), [].append)
        assert child.returncode is None
        await child.wait()
        return child

    assert asyncio.run(story()).returncode == 4
