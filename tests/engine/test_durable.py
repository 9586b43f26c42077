"""Killed anywhere, a leg goes on in the next process with what was recorded, and ends once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from herodeploy.engine import dbos_setup
from herodeploy.engine.durable import DurableEngine
from herodeploy.engine.port import Leg, Run
from herodeploy.errors import Busy, InvalidRequest, Refused, StoreError

WORKER = Path(__file__).with_name("worker.py")


class Workers:
    """Starts worker processes on one database, all of which write one journal."""

    def __init__(self, database: str, journal: Path) -> None:
        self.database = database
        self.journal = journal

    def command(self, leg: str = "deliver", cut: str = "", payload: str = '{"version": 7}', **names: str) -> list[str]:
        executor, leg_id = names.get("executor", "pipeline-p1"), names.get("leg_id", "d1/staging/1")
        given = [self.database, executor, str(self.journal), leg_id, leg, payload]
        return [sys.executable, "-W", "error", str(WORKER), *given, *([cut] if cut else [])]

    def run(self, *args: str, **names: str) -> dict[str, Any]:
        done = subprocess.run(self.command(*args, **names), capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        return dict(json.loads(done.stdout))

    def killed(self, *args: str, **names: str) -> None:
        done = subprocess.run(self.command(*args, **names), capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")

    @property
    def acts(self) -> list[str]:
        return self.journal.read_text().split() if self.journal.exists() else []


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Workers:
    return Workers(f"{tmp_path}/engine/p1.sqlite", tmp_path / "journal")


@pytest.fixture
def workers(database: str, tmp_path: Path) -> Workers:
    return Workers(database, tmp_path / "journal")


DONE = {"slug": "s1", "release": 7, "thread": True}


@pytest.mark.parametrize(
    ("cut", "acts"),
    [
        ("before:build:kill", ["build", "release", "verify"]),
        ("after:build:kill", ["build", "build", "release", "verify"]),
        ("between:build:kill", ["build", "release", "verify"]),
        ("before:verify:kill", ["build", "release", "verify"]),
        ("between:verify:kill", ["build", "release", "verify"]),
    ],
)
def test_a_killed_leg_goes_on_after_its_last_record(on_sqlite: Workers, cut: str, acts: list[str]) -> None:
    on_sqlite.killed(cut=cut)
    assert on_sqlite.run(payload="{}")["returned"] == DONE
    assert on_sqlite.acts == acts


def test_a_leg_killed_twice_still_ends_once(on_sqlite: Workers) -> None:
    on_sqlite.killed(cut="between:build:kill")
    on_sqlite.killed(cut="before:verify:kill")
    assert on_sqlite.run()["returned"] == DONE
    assert on_sqlite.acts == ["build", "release", "verify"]


def test_an_interrupt_leaves_at_once_and_the_leg_goes_on_later(workers: Workers) -> None:
    assert workers.run(cut="before:release:interrupt")["interrupted"] is True
    assert workers.acts == ["build"]
    assert workers.run()["returned"] == DONE
    assert workers.acts == ["build", "release", "verify"]
    assert workers.run()["returned"] == DONE
    assert workers.acts == ["build", "release", "verify"]


@pytest.mark.parametrize("resumed", [False, True])
def test_ctrl_c_reaches_a_step_that_hangs(on_sqlite: Workers, resumed: bool) -> None:
    if resumed:
        on_sqlite.killed(cut="between:build:kill")
    command = on_sqlite.command(cut="before:release:wait")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        sign = Path(f"{on_sqlite.journal}.waits")
        while not sign.exists():
            assert process.poll() is None
            threading.Event().wait(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert json.loads(out)["interrupted"] is True
    assert err == ""
    assert on_sqlite.acts == ["build"]


def test_an_error_comes_back_as_itself_also_from_the_record(on_sqlite: Workers) -> None:
    first = on_sqlite.run("fail", payload='{"api": true}')
    again = on_sqlite.run("fail")
    for said in (first, again):
        assert said["raised"] == "NotFound"
        assert said["text"] == "no such app (HTTP 404, not_found, Request-Id r-1)"
        assert said["carried"]["hint"] == "look"
        assert said["carried"]["status"] == 404
        assert said["carried"]["platform_message"] == "no such app"
    assert on_sqlite.acts == ["build", "release", "put", "back"]


def test_a_resumed_leg_meets_the_recorded_error_of_a_step(on_sqlite: Workers) -> None:
    on_sqlite.killed("fail", "between:put back:kill", payload="{}")
    said = on_sqlite.run("fail")
    assert (said["raised"], said["text"], said["carried"]["hint"]) == (
        "Refused",
        "the release phase failed",
        "see its output",
    )
    assert on_sqlite.acts == ["build", "release", "put", "back"]


def test_other_workers_leave_the_legs_of_a_dead_one_alone(workers: Workers) -> None:
    workers.killed(cut="between:build:kill")
    assert workers.run(executor="pipeline-p2", leg_id="d2/staging/1")["returned"] == DONE
    assert workers.run(leg_id="d3/staging/1")["returned"] == DONE
    assert workers.acts == ["build", *["build", "release", "verify"] * 2]
    assert workers.run()["returned"] == DONE


# From here on in this process.


@pytest.fixture
def engines(database: str) -> Iterator[Any]:
    opened: list[DurableEngine] = []

    def start(executor: str = "pipeline-p1", **legs: Leg) -> DurableEngine:
        for engine in opened:
            engine.close()
        opened.append(DurableEngine(database, executor, legs))
        return opened[-1]

    yield start
    for engine in opened:
        engine.close()


def test_the_same_id_runs_once_also_in_many_threads(engines: Any) -> None:
    calls: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def slow(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("act", lambda: calls.append("act"))
        begun.set()
        go.wait(60)
        return {"n": payload["n"]}

    engine = engines(slow=slow)
    results: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: results.append(engine.run("d/1", "slow", {"n": 1}))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    go.set()
    for thread in threads:
        thread.join()
    assert results == [{"n": 1}] * 4
    assert calls == ["act"]


def test_an_interrupted_leg_can_be_run_again_in_the_same_process(engines: Any) -> None:
    cuts = [KeyboardInterrupt()]
    calls: list[str] = []

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("one", lambda: calls.append("one"))
        if cuts:
            raise cuts.pop()
        run.step("two", lambda: calls.append("two"))
        return payload

    engine = engines(leg=leg)
    with pytest.raises(KeyboardInterrupt):
        engine.run("d/1", "leg", {"n": 1})
    assert engine.run("d/1", "leg", {}) == {"n": 1}
    assert calls == ["one", "two"]


def test_an_error_is_raised_as_it_was_while_the_leg_ran_here(engines: Any) -> None:
    refusal = Refused("no", hint="try")

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        raise refusal

    engine = engines(leg=leg)
    with pytest.raises(Refused) as caught:
        engine.run("d/1", "leg", {})
    assert caught.value is refusal
    with pytest.raises(Refused, match="no") as caught:
        engine.run("d/1", "leg", {})
    assert caught.value.hint == "try"


def test_what_is_not_plain_json_is_refused_with_its_place(engines: Any) -> None:
    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("look", lambda: {1, 2})
        return {}

    engine = engines(leg=leg)
    with pytest.raises(TypeError, match="the result of step look is not plain JSON"):
        engine.run("d/1", "leg", {})
    with pytest.raises(TypeError, match="the payload of d/2 is not plain JSON"):
        engine.run("d/2", "leg", {"when": object()})


def test_live_values_are_what_the_record_would_give(engines: Any) -> None:
    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        return {"step": run.step("pair", lambda: (1, 2)), "payload": payload}

    assert engines(leg=leg).run("d/1", "leg", {"t": (1,)}) == {"step": [1, 2], "payload": {"t": [1]}}


def test_a_fence_that_is_down_stops_before_the_act_and_records_nothing(database: str) -> None:
    calls: list[str] = []
    down = [False]

    def fence() -> None:
        if down[0]:
            raise Busy("the lock is lost")

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("one", lambda: calls.append("one"))
        down[0] = not calls[1:] and not down[0]
        run.step("two", lambda: calls.append("two"))
        return {}

    engine = DurableEngine(database, "pipeline-p1", {"leg": leg}, fence=fence)
    try:
        with pytest.raises(Busy, match="the lock is lost"):
            engine.run("d/1", "leg", {})
        assert calls == ["one"]
        assert engine.run("d/1", "leg", {}) == {}
        assert calls == ["one", "two"]
    finally:
        engine.close()


def test_changed_steps_are_told_apart_from_a_legs_own_errors(engines: Any) -> None:
    def before(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("build", lambda: 1)
        raise KeyboardInterrupt

    def after(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        run.step("look first", lambda: 1)
        return {}

    with pytest.raises(KeyboardInterrupt):
        engines(leg=before).run("d/1", "leg", {})
    with pytest.raises(StoreError, match="engine cannot carry on what it recorded"):
        engines(leg=after).run("d/1", "leg", {})


def test_a_leg_of_another_version_is_not_resumed(engines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engines(leg=leg).run("d/1", "leg", {})
    begun_by = dbos_setup.VERSION
    monkeypatch.setattr(dbos_setup, "VERSION", "legs-next")
    with pytest.raises(StoreError, match=rf"another version of herodeploy \({begun_by}, this one has legs-next\)"):
        engines(leg=leg).run("d/1", "leg", {})


def test_two_engines_in_one_process_are_refused(engines: Any, database: str) -> None:
    engines()
    with pytest.raises(RuntimeError, match="close it first"):
        DurableEngine(database, "pipeline-p2", {})


def test_api_errors_keep_what_they_carry(engines: Any) -> None:
    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        raise InvalidRequest("Name is too long", status=422, request="POST /apps")

    for _ in range(2):
        with pytest.raises(InvalidRequest) as caught:
            engines(leg=leg).run("d/1", "leg", {})
        assert str(caught.value) == "Name is too long (POST /apps, HTTP 422)"
        assert (caught.value.status, caught.value.error_id, caught.value.message) == (422, None, str(caught.value))


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "p1.sqlite").write_text("no database at all, but long enough to be looked at" * 30)
    with pytest.raises(StoreError, match=r"p1\.sqlite cannot be used: file is not a database"):
        DurableEngine(tmp_path / "p1.sqlite", "pipeline-p1", {})


def test_a_server_that_does_not_answer_is_told_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as caught:
        DurableEngine("postgres://user:s3cret@127.0.0.1:1/shop", "pipeline-p1", {})
    assert "s3cret" not in str(caught.value)


def test_the_file_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    file = tmp_path / "engine" / "p1.sqlite"
    engine = DurableEngine(file, "pipeline-p1", {"leg": lambda run, payload: payload})
    engine.run("d/1", "leg", {})
    modes = {entry.name: oct(entry.stat().st_mode & 0o777) for entry in file.parent.iterdir()}
    assert set(modes.values()) == {"0o600"}
    assert "p1.sqlite-wal" in modes
    assert oct(file.parent.stat().st_mode & 0o777) == "0o700"
    engine.close()


def test_importing_the_engine_imports_no_dbos() -> None:
    modules = "herodeploy.engine.durable, herodeploy.engine.worker_lock"
    script = f"import sys, {modules}; print({{'dbos', 'sqlalchemy'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "set()"
