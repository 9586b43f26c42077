from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.attach.attachments import Attachment
from herodeploy.local.dynos import dyno
from herodeploy.local.dynos.supervisor import NoDyno
from herodeploy.local.process.ledger import Ledger

SERVER = "exec python3 server.py"
SLEEPER = "exec sleep 1000"


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        if sys.platform.startswith("linux"):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
    return False


def test_web_dyno_is_up_once_it_answers(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"web": SERVER}, {"web": 1}, config={"COLOUR": "blue"}))
            assert yard.states() == {"web.1": "starting"}
            target = await yard.supervisor.pick_web("app-1")
            assert yard.states() == {"web.1": "up"}
            url = f"http://127.0.0.1:{target.port}/"
            body = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read())
            assert body == b"web.1 blue"
            assert yard.said("web.1") == [
                f"Starting process with command `{SERVER}`",
                "State changed from starting to up",
            ]
            await yard.supervisor.remove("app-1")
            assert yard.said("web.1")[2:] == [
                "State changed from up to down",
                "Stopping all processes with SIGTERM",
                "Process exited with status 143",
            ]
            assert yard.states() == {}
            assert not list((yard.settings.work / "dynos").iterdir())

    asyncio.run(story())


def test_environment_is_herokus_and_clean(make_yard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "secret")
    lines: list[str] = []

    async def story() -> None:
        async with make_yard() as yard:
            plan = yard.plan({}, {}, config={"COLOUR": "blue", "PORT": "1"}, extra_env={"HEROKU_APP_NAME": "shop"})
            status = await yard.supervisor.run_once(
                plan, type="run", command="env; pwd", name="run.1234", env={"X": "1"}, output=lines.append, timeout=20
            )
            assert status == 0
            assert yard.states() == {}
            assert yard.said("run.1234") == [
                "Starting process with command `env; pwd`",
                "State changed from starting to up",
                "Process exited with status 0",
                "State changed from up to complete",
            ]
            assert yard.said("run.1234", source="app") == lines

    asyncio.run(story())
    env = dict(line.split("=", 1) for line in lines if "=" in line)
    assert env["COLOUR"] == "blue"
    assert env["X"] == "1"
    assert env["DYNO"] == "run.1234"
    assert env["HEROKU_APP_NAME"] == "shop"
    assert env["PORT"].isdigit()
    assert env["PORT"] != "1"
    assert Path(env["HOME"]).resolve() == Path(lines[-1]).resolve()
    assert "HEROKU_API_KEY" not in env


def test_scaling_leaves_running_dynos_alone(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER}, {"worker": 2}))
            await until(lambda: yard.states() == {"worker.1": "up", "worker.2": "up"})
            first = yard.supervisor.dynos("app-1")[0].id
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER}, {"worker": 1}))
            assert [view.id for view in yard.supervisor.dynos("app-1")] == [first]
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER}, {"worker": 0}))
            assert yard.states() == {}

    asyncio.run(story())


def test_many_dynos_start_a_few_at_a_time(make_yard: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    starting, most, begun, start = 0, 0, 0, dyno.processes.start

    async def counted(*arguments: Any) -> Any:
        nonlocal starting, most, begun
        starting, begun = starting + 1, begun + 1
        most = max(most, starting)
        try:
            return await start(*arguments)
        finally:
            starting -= 1

    monkeypatch.setattr(dyno.processes, "start", counted)

    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER}, {"worker": 12}))
            await until(lambda: list(yard.states().values()) == ["up"] * 12)
            assert (begun, most) == (12, dyno.STARTS)
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER}, {"worker": 24}))
            await yard.supervisor.remove("app-1")  # the last of them still wait for their turn
            assert begun < 24
            assert not list((yard.settings.work / "dynos").iterdir())

    asyncio.run(story())


def test_dynos_that_wait_for_somebody_to_attach_keep_no_other_from_starting(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            waiting = [Attachment(None, patience=60) for _ in range(dyno.STARTS + 1)]
            for attachment in waiting:
                await yard.supervisor.run_detached(yard.plan({}, {}), command="cat", attachment=attachment)
            await until(lambda: len([line for line in yard.said() if line.startswith("Starting")]) == len(waiting))
            assert await yard.supervisor.run_once(yard.plan({}, {}), type="run", command="true", timeout=20) == 0

    asyncio.run(story())


def test_a_new_release_replaces_every_dyno_at_once(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"web": SERVER}, {"web": 1}))
            before = await yard.supervisor.pick_web("app-1")
            await yard.supervisor.converge(
                yard.plan({"web": SERVER}, {"web": 1}, release_id="release-2", release_version=2)
            )
            (view,) = yard.supervisor.dynos("app-1")
            assert (view.state, view.release_version) == ("starting", 2)
            after = await yard.supervisor.pick_web("app-1")
            assert after.port != before.port
            await until(lambda: "Process exited with status 143" in yard.said("web.1"))
            assert yard.said("web.1").index("State changed from up to starting") < yard.said("web.1").index(
                "Stopping all processes with SIGTERM"
            )

    asyncio.run(story())


def test_crashes_restart_once_then_cool_off(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"web": "exit 0"}, {"web": 1}))
            with pytest.raises(NoDyno, match="H10"):
                await yard.supervisor.pick_web("app-1")
            await until(lambda: yard.said("web.1").count("Process exited with status 0") == 2)
            await until(lambda: yard.states() == {"web.1": "crashed"})
            assert yard.said("web.1") == [
                "Starting process with command `exit 0`",
                "Process exited with status 0",
                "State changed from starting to crashed",
                "State changed from crashed to starting",
                "Starting process with command `exit 0`",
                "Process exited with status 0",
                "State changed from starting to crashed",
            ]

    asyncio.run(story())


def test_back_off_doubles(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard(crash_cooloff=0.01) as yard:
            await yard.supervisor.converge(yard.plan({"worker": "exit 1"}, {"worker": 1}))
            await until(lambda: yard.said("worker.1").count("Process exited with status 1") == 4)

    asyncio.run(story())


def test_web_that_does_not_bind_is_r10(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard(boot_timeout=0.3) as yard:
            await yard.supervisor.converge(yard.plan({"web": SLEEPER}, {"web": 1}))
            await until(
                lambda: (
                    yard.states() == {"web.1": "crashed"} and yard.said().count("Process exited with status 137") == 2
                )
            )
            assert yard.said("web.1")[1:5] == [
                "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 0.3 seconds of launch",
                "Stopping process with SIGKILL",
                "Process exited with status 137",
                "State changed from starting to crashed",
            ]

    asyncio.run(story())


def test_dyno_that_ignores_sigterm_is_r12(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard(stop_timeout=0.2) as yard:
            plan = yard.plan({"worker": "trap '' TERM; echo ready; while :; do sleep 1; done"}, {"worker": 1})
            await yard.supervisor.converge(plan)
            await until(lambda: "ready" in yard.said(source="app"))
            await yard.supervisor.remove("app-1")
            assert yard.said("worker.1")[-4:] == [
                "Stopping all processes with SIGTERM",
                "Error R12 (Exit timeout) -> At least one process failed to exit within 0.2 seconds of SIGTERM",
                "Stopping remaining processes with SIGKILL",
                "Process exited with status 137",
            ]

    asyncio.run(story())


def test_damaged_slug_is_a_crash_not_an_outage(make_yard: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            yard.slug.write_bytes(b"no slug")
            await yard.supervisor.converge(yard.plan({"web": SERVER}, {"web": 1}))
            await until(lambda: yard.states() == {"web.1": "crashed"})
            assert yard.said("web.1")[0].startswith("Error R99 (Platform error) -> Failed to launch the dyno")

    asyncio.run(story())


def test_pick_web_without_dynos(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard(queue_timeout=0.1) as yard:
            with pytest.raises(NoDyno, match="H14"):
                await yard.supervisor.pick_web("app-1")
            await yard.supervisor.converge(yard.plan({"web": SLEEPER}, {"web": 1}))
            with pytest.raises(NoDyno, match="H20"):
                await yard.supervisor.pick_web("app-1")

    asyncio.run(story())


def test_restart_and_stop_by_name(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"worker": SLEEPER, "web": SERVER}, {"worker": 1, "web": 1}))
            await until(lambda: set(yard.states().values()) == {"up"})
            ids = {view.name: view.id for view in yard.supervisor.dynos("app-1")}
            await yard.supervisor.restart("app-1", name="worker.1")
            fresh = {view.name: view.id for view in yard.supervisor.dynos("app-1")}
            assert fresh["web.1"] == ids["web.1"]
            assert fresh["worker.1"] != ids["worker.1"]
            await yard.supervisor.stop("app-1", type="web")
            assert yard.states()["web.1"] == "down"
            with pytest.raises(NoDyno, match="H10"):
                await yard.supervisor.pick_web("app-1")
            await yard.supervisor.restart("app-1")
            await until(lambda: set(yard.states().values()) == {"up"})
            assert len(yard.states()) == 2

    asyncio.run(story())


def test_one_off_dynos_end_with_their_status_or_in_time(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            plan = yard.plan({}, {})
            run = yard.supervisor.run_once
            assert await run(plan, type="release", command="exit 3", timeout=20) == 3
            lines: list[str] = []
            assert await run(plan, type="release", command="sleep 1000", output=lines.append, timeout=0.3) == 143
            assert lines == ["The command took longer than 0.3 seconds and was stopped"]
            view = await yard.supervisor.run_detached(plan, command=SLEEPER)
            await until(lambda: view.state == "up")
            assert yard.states() == {view.name: "up"}
            await yard.supervisor.stop("app-1", name=view.name)
            await until(lambda: "Process exited with status 143" in yard.said(view.name))
            assert yard.states() == {}

    asyncio.run(story())


def test_a_one_off_dyno_of_type_web_gets_no_requests_and_need_not_listen(make_yard: Any, tmp_path: Path) -> None:
    async def story() -> None:
        async with make_yard(boot_timeout=0.1, queue_timeout=0.1) as yard:
            waits = f"until test -e {tmp_path}/go; do sleep 0.05; done; exit 7"
            view = await yard.supervisor.run_detached(yard.plan({}, {}), type="web", command=waits)
            await until(lambda: view.state == "up")
            with pytest.raises(NoDyno, match="H14"):
                await yard.supervisor.pick_web("app-1")
            (tmp_path / "go").touch()
            await until(lambda: "Process exited with status 7" in yard.said(view.name))

    asyncio.run(story())


def test_cancelled_one_off_dyno_is_stopped(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            work = yard.supervisor.run_once(yard.plan({}, {}), type="run", command="echo $$; " + SLEEPER, timeout=20)
            task = asyncio.create_task(work)
            await until(lambda: yard.said(source="app"))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert gone(int(yard.said(source="app")[0]))

    asyncio.run(story())


def test_full_stream_fails_the_one_off_dyno(make_yard: Any) -> None:
    def full(_: str) -> None:
        raise OSError("No space left on device")

    async def story() -> None:
        async with make_yard() as yard:
            with pytest.raises(OSError, match="No space left"):
                await yard.supervisor.run_once(
                    yard.plan({}, {}), type="release", command="echo x; sleep 1000", output=full, timeout=20
                )

    asyncio.run(story())


def test_close_ends_everything_even_what_is_just_starting(make_yard: Any) -> None:
    async def story() -> None:
        async with make_yard() as yard:
            await yard.supervisor.converge(yard.plan({"worker": "echo $$; " + SLEEPER}, {"worker": 3}))
            await until(lambda: yard.said(source="app"))
            await yard.supervisor.close()
            assert all(gone(int(pid)) for pid in yard.said(source="app"))
            assert yard.states() == {}

    asyncio.run(story())


def test_a_platform_killed_with_its_guards_leaves_nothing_once_the_next_one_begins(tmp_path: Path) -> None:
    """A pid is proof together with its start time alone; a stranger of a noted pid is spared."""
    ours = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    home = tmp_path / "homes" / "abcd" / "app"
    homed = subprocess.Popen(["sleep", "1000"], start_new_session=True, env={**os.environ, "HOME": str(home)})
    try:
        environ = Path(f"/proc/{homed.pid}/environ")
        asyncio.run(until(lambda: not environ.exists() or b"HOME=" in environ.read_bytes()))
        ledger = Ledger(tmp_path / "processes", tmp_path / "homes")
        ledger.add(ours.pid)
        (tmp_path / "processes" / str(stranger.pid)).write_text("another start time")
        ended = ledger.end_leftovers()
        expected = {ours.pid, homed.pid} if sys.platform.startswith("linux") else {ours.pid}
        assert set(ended) == expected
        assert ours.wait(60) == -signal.SIGKILL
        assert stranger.poll() is None
        assert not list((tmp_path / "processes").iterdir())
    finally:
        for child in (ours, stranger, homed):
            child.kill()
            child.wait()


def test_kill_9_of_the_platform_leaves_no_dyno(tmp_path: Path, make_yard: Any) -> None:
    pid_file = tmp_path / "pid"
    program = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from herodeploy.local.dynos.supervisor import Plan, Supervisor
        from herodeploy.local.logs import Logs
        from herodeploy.local.settings import Settings
        async def main(data, slug, command):
            settings = Settings(data)
            supervisor = Supervisor(settings, Logs(settings.logs))
            await supervisor.converge(Plan("a", "a", "r", 1, slug, {}, {"worker": command}, {"worker": 1}, {}))
            await asyncio.Event().wait()
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
        """
    )
    command = f"sleep 1000 & echo $$ $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait"
    argv = [sys.executable, "-c", program, str(tmp_path / "data"), str(tmp_path / "slug.tgz"), command]
    with subprocess.Popen(argv) as platform:
        try:
            asyncio.run(until(pid_file.exists))
        finally:
            platform.kill()
    pids = [int(pid) for pid in pid_file.read_text().split()]
    asyncio.run(until(lambda: all(map(gone, pids))))
