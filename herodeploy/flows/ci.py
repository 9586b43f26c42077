"""Continuous integration: one test run of a commit, on the platform or by a command here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from threading import Event, Timer
from typing import Any

from herodeploy.domain.change import Change, TestNode, TestRun
from herodeploy.engine.direct import DirectRun
from herodeploy.engine.port import Run
from herodeploy.errors import HerodeployError, Refused
from herodeploy.flows.ci_checks import wait_for_checks
from herodeploy.flows.command import run_command
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import until
from herodeploy.flows.watch import follow, upload

LEG = "test"


@dataclass(frozen=True, slots=True)
class CiResult:
    """How a commit was tested, and the answer.

    Parameters:
        status: succeeded, failed, errored or skipped.
        number: of the platform's test run.
    """

    status: str
    commit: str
    number: int | None
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def run(services: Services, change: Change) -> CiResult:
    """Test one commit now.

    Raises:
        Refused: the tests failed, or could not be run.
    """
    before = newest_number(services)
    payload = {
        "pipeline_id": services.pipeline().id,
        "commit": change.commit,
        "branch": change.branch,
        "message": change.message,
        "ci_before": before,
        "attempt": 1,
    }
    outcome = ci_leg(services, DirectRun(), payload)
    if outcome["outcome"] != "succeeded":
        raise Refused(outcome["reason"])
    return CiResult(outcome["ci"], change.commit, outcome["number"], None)


def newest_number(services: Services) -> int:
    """Return the number of the pipeline's newest test run, 0 without any or where CI runs elsewhere."""
    if services.spec.ci.provider != "heroku":
        return 0
    return max((each.number for each in services.heroku.test_runs.list(services.pipeline().id)), default=0)


def ci_leg(services: Services, run: Run, payload: dict[str, Any]) -> dict[str, Any]:
    """Carry out the test leg.

    Parameters:
        payload: ``pipeline_id``, ``commit``, ``branch``, ``message``, ``ci_before`` (number of the newest test run
            from before the first attempt), ``attempt``.

    Returns:
        the outcome, with ``ci`` (succeeded, failed, errored, skipped) and the test run's ``number``.
    """
    provider = services.spec.ci.provider
    if provider == "none":
        services.tell("info", "herodeploy.yml asks for no CI", leg=LEG)
        return _outcome("skipped", None, None)
    if provider == "checks":
        began = run.step("begin", lambda: services.clock().isoformat())
        checked = run.step("checks", partial(wait_for_checks, services, payload["commit"], began))
        return _outcome(checked["status"], None, checked["reason"])
    if provider == "command":
        reason = run.step("ci command", partial(_command, services, payload["commit"]))
        return _outcome("failed" if reason else "succeeded", None, reason)
    number = run.step("start test run", partial(_start, services, payload))
    ended = run.step("test run", partial(_watch, services, payload["pipeline_id"], number))
    return _outcome(ended["status"], number, ended["reason"])


def _outcome(ci: str, number: int | None, reason: str | None) -> dict[str, Any]:
    passed = ci in ("succeeded", "skipped")
    return {"outcome": "succeeded" if passed else "failed", "reason": reason, "ci": ci, "number": number}


def _command(services: Services, commit: str) -> str | None:
    command = services.spec.ci.command or ""
    services.tell("step", f"testing {commit[:8]}: {command}", leg=LEG)
    reason = run_command(services, commit, command, services.spec.ci.timeout, services.sink(leg=LEG))
    services.tell("failed" if reason else "done", reason or "the tests passed", leg=LEG)
    return reason


def _start(services: Services, payload: dict[str, Any]) -> int:
    pipeline_id, commit = payload["pipeline_id"], payload["commit"]
    for test_run in services.heroku.test_runs.list(pipeline_id):
        # One that was cut together with the platform has no answer for a later attempt.
        cut = payload["attempt"] > 1 and test_run.status in ("errored", "cancelled")
        if test_run.number > payload["ci_before"] and test_run.commit == commit and not cut:
            return test_run.number
    services.tell("step", f"testing {commit[:8]}", leg=LEG)
    url = upload(services, commit)
    branch, message = payload["branch"] or "HEAD", payload["message"]
    return services.heroku.test_runs.create(pipeline_id, commit, branch, message, url).number


def _watch(services: Services, pipeline_id: str, number: int) -> dict[str, Any]:
    def there_yet(test_run: TestRun, *wanted: str) -> TestRun | None:
        return test_run if test_run.settled or test_run.status in wanted else None

    def look(*wanted: str) -> TestRun | None:
        return there_yet(services.heroku.test_runs.get(pipeline_id, number), *wanted)

    first = services.heroku.test_runs.get(pipeline_id, number)
    with _cancelled_when_overdue(services, first) as overdue:
        services.tell("info", f"test run #{number}", leg=LEG)
        setting_up = ("building", "running", "debugging")
        begun = there_yet(first, *setting_up) or until(services, lambda: look(*setting_up))
        _stream(services, begun, "setup_stream_url")
        _stream(services, until(services, lambda: look("running", "debugging")), "output_stream_url")
        ended = until(services, look)
    if ended.status == "succeeded":
        services.tell("done", f"test run #{number} succeeded", leg=LEG)
        return {"status": "succeeded", "reason": None}
    reason = _overdue(services, number) if overdue.is_set() else _why(services, ended)
    services.tell("failed", reason, leg=LEG)
    return {"status": "failed" if ended.status == "failed" else "errored", "reason": reason}


@contextmanager
def _cancelled_when_overdue(services: Services, test_run: TestRun) -> Iterator[Event]:
    """Cancel the test run when ``ci.timeout`` is over, also while its output is followed."""
    overdue = Event()

    def cancel() -> None:
        overdue.set()
        with suppress(HerodeployError):
            services.heroku.test_runs.cancel(test_run.id, _overdue(services, test_run.number))

    ends = test_run.created_at + services.spec.ci.timeout
    timer = Timer(max((ends - services.clock()).total_seconds(), 1), cancel)
    timer.daemon = True
    timer.start()
    try:
        yield overdue
    finally:
        timer.cancel()


def _overdue(services: Services, number: int) -> str:
    return f"test run #{number} took longer than {services.spec.ci.timeout.total_seconds():.0f}s and was cancelled"


def _stream(services: Services, test_run: TestRun, which: str) -> None:
    for node in services.heroku.test_runs.nodes(test_run.id):
        url: str | None = getattr(node, which)
        if url is not None and not (test_run.settled and node.exit_code is None and which == "output_stream_url"):
            follow(services, url, leg=LEG)


def _why(services: Services, ended: TestRun) -> str:
    nodes: list[TestNode] = services.heroku.test_runs.nodes(ended.id)
    codes = [node.exit_code for node in nodes if node.exit_code]
    messages = [node.message for node in nodes if node.message]
    if ended.message:
        return f"test run #{ended.number} {ended.status}: {ended.message}"
    if codes and ended.status == "failed":
        return f"test run #{ended.number} failed: its tests ended with exit status {codes[0]}"
    return f"test run #{ended.number} {ended.status}" + (f": {messages[0]}" if messages else "")
