"""Isolated dynos: Heroku's places, and the same life as without isolation."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.process import sandbox
from herodeploy.local.process.sandbox import Sandbox


@pytest.fixture
def box() -> Sandbox:
    found = sandbox.choose("auto")
    if found.sandbox is None:
        pytest.skip(f"no isolation on this machine: {found.why_not}")
    return found.sandbox


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def inside(data: Path) -> set[str]:
    """Return all processes that have a dyno's disk of that platform mounted."""
    mark, found = "/".join((*data.parts[-3:], "work", "dynos", "")), set()
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and mark in (process / "mountinfo").read_text():
                found.add(process.name)
    return found


def test_it_is_at_home_in_app_with_a_tmp_of_its_own(make_yard: Any, box: Sandbox) -> None:
    script = 'echo "$HOME $PWD $TMPDIR $(test -e /tmp/x && echo stale || echo fresh)"; ls; echo x > /tmp/x; cat /tmp/x'

    async def story() -> None:
        async with make_yard(box) as yard:
            plan = yard.plan({}, {}, config={"TMPDIR": "/somewhere"})
            for _ in range(2):
                lines: list[str] = []
                status = await yard.supervisor.run_once(
                    plan, type="run", command=script, output=lines.append, timeout=60
                )
                assert (status, lines) == (0, ["/app /app /somewhere fresh", "Procfile", "server.py", "x"])
            assert not inside(yard.settings.data)

    asyncio.run(story())


def test_a_web_dyno_serves_and_stops(make_yard: Any, box: Sandbox) -> None:
    async def story() -> None:
        async with make_yard(box, boot_timeout=30) as yard:
            await yard.supervisor.converge(yard.plan({"web": "exec python3 server.py"}, {"web": 1}))
            target = await yard.supervisor.pick_web("app-1")

            def ask() -> str:
                with urllib.request.urlopen(f"http://127.0.0.1:{target.port}/", timeout=30) as answer:
                    return str(answer.read().decode())

            assert (await asyncio.to_thread(ask)).startswith("web.1")
            await yard.supervisor.stop("app-1", name="web.1")
            await until(lambda: "Process exited with status 143" in yard.said("web.1"))
            await until(lambda: not inside(yard.settings.data))

    asyncio.run(story())


def test_one_that_ignores_sigterm_is_r12(make_yard: Any, box: Sandbox) -> None:
    async def story() -> None:
        async with make_yard(box, stop_timeout=0.2) as yard:
            command = "trap '' TERM; echo ready; while :; do sleep 1; done"
            await yard.supervisor.converge(yard.plan({"worker": command}, {"worker": 1}))
            await until(lambda: "ready" in yard.said(source="app"))
            await yard.supervisor.stop("app-1", name="worker.1")
            await until(lambda: "Process exited with status 137" in yard.said("worker.1"))
            assert any(line.startswith("Error R12 (Exit timeout)") for line in yard.said("worker.1"))
            await until(lambda: not inside(yard.settings.data))

    asyncio.run(story())


def test_a_crash_starts_it_again_on_a_fresh_disk(make_yard: Any, box: Sandbox) -> None:
    async def story() -> None:
        async with make_yard(box) as yard:
            command = "test -e /tmp/x -o -e x && echo stale; touch /tmp/x x; echo begun; exit 1"
            await yard.supervisor.converge(yard.plan({"worker": command}, {"worker": 1}))
            await until(lambda: yard.said(source="app") == ["begun", "begun"])

    asyncio.run(story())


def test_closing_ends_all_of_them(make_yard: Any, box: Sandbox) -> None:
    async def story() -> None:
        async with make_yard(box) as yard:
            await yard.supervisor.converge(yard.plan({"worker": "setsid sleep 1000 & exec sleep 1000"}, {"worker": 3}))
            await until(lambda: len(inside(yard.settings.data)) >= 3)
            await yard.supervisor.close()
            assert not inside(yard.settings.data)

    asyncio.run(story())


def test_kill_9_of_the_platform_leaves_no_dyno(make_yard: Any, box: Sandbox, tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from herodeploy.local.dynos.supervisor import Plan, Supervisor
        from herodeploy.local.logs import Logs
        from herodeploy.local.process.sandbox import choose
        from herodeploy.local.settings import Settings
        async def main(data, slug, command):
            settings = Settings(data)
            supervisor = Supervisor(settings, Logs(settings.logs), choose("required").sandbox)
            await supervisor.converge(Plan("a", "a", "r", 1, slug, {}, {"worker": command}, {"worker": 2}, {}))
            await asyncio.Event().wait()
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
        """
    )
    data = tmp_path / "data"
    argv = [sys.executable, "-c", program, str(data), str(tmp_path / "slug.tgz"), "setsid sleep 1000 & sleep 1000"]
    with subprocess.Popen(argv) as platform:
        try:
            asyncio.run(until(lambda: len(inside(data)) >= 6))
        finally:
            platform.kill()
    asyncio.run(until(lambda: not inside(data)))


def test_a_setup_that_fails_is_told_in_the_log(make_yard: Any, tmp_path: Path) -> None:
    """Nobody waits for a dyno: its log has to say why it is not there."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2; exit 1\n")
    broken.chmod(0o755)

    async def story() -> None:
        async with make_yard(Sandbox(str(broken))) as yard:
            await yard.supervisor.converge(yard.plan({"worker": "sleep 1"}, {"worker": 1}))
            await until(lambda: any("bwrap: No permissions" in line for line in yard.said("worker.1")))

    asyncio.run(story())
