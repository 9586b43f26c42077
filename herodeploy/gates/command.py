"""Does a command say yes?"""

from __future__ import annotations

from datetime import datetime, timedelta

from herodeploy.domain.gate import Answer, Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import options

KIND = "command"
OPTIONS = frozenset({"run", "timeout", "every"})
LATER = 75
"""EX_TEMPFAIL of sysexits.h: there is no answer yet."""
TIMEOUT, EVERY = timedelta(minutes=10), timedelta(minutes=1)
_SHOWN = 60
_LAST_LINE = 200


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Pass when it ended with exit status 0, wait when that was 75 or it has not run, fail otherwise.

    What was seen has ``asked_at``, ``exit_status`` (None when it was stopped), ``output`` (the end of it), and what it
    is the answer to: ``run`` and ``slug_id``.
    """
    observed = facts.observed(spec)
    what = f"`{options.one_line(str(spec.options['run']), _SHOWN)}`"
    if observed is None or not _of_this(observed, facts, spec):
        return Verdict(KIND, Answer.WAIT, f"{what} has not run yet", until=now)
    known = dict(observed.data)
    status, last = known["exit_status"], _last_line(str(known["output"]))
    later = ", which means later" if status == LATER else ""
    said = f"{what} ended with exit status {status}{later}{f': {last}' if last else ''}"
    if status == 0:
        return Verdict(KIND, Answer.PASS, said, facts=known)
    if status == LATER:
        known["look_again_at"] = due(observed, spec).isoformat()
        return Verdict(KIND, Answer.WAIT, said, facts=known)
    if status is None:
        said = f"{what} took longer than {options.spoken(timeout(spec))}"
    return Verdict(KIND, Answer.FAIL, said, facts=known)


def answered(observed: Observation | None, facts: Facts, spec: GateSpec) -> bool:
    """Whether this command has said yes or no to this artifact."""
    return observed is not None and _of_this(observed, facts, spec) and observed.data["exit_status"] != LATER


def early(observed: Observation | None, facts: Facts, spec: GateSpec, now: datetime) -> bool:
    """Whether this command has said later of this artifact, and later is not yet."""
    return observed is not None and _of_this(observed, facts, spec) and now < due(observed, spec)


def due(observed: Observation, spec: GateSpec) -> datetime:
    """Return when one that said later is to run again."""
    return datetime.fromisoformat(str(observed.data["asked_at"])) + (
        options.duration(spec.options.get("every")) or EVERY
    )


def timeout(spec: GateSpec) -> timedelta:
    """Return how long it may take."""
    return options.duration(spec.options.get("timeout")) or TIMEOUT


def _of_this(observed: Observation, facts: Facts, spec: GateSpec) -> bool:
    seen = observed.data
    return seen.get("run") == spec.options["run"] and seen.get("slug_id") == facts.slug_id


def _last_line(output: str) -> str:
    lines = (options.one_line(line, _LAST_LINE) for line in reversed(output.splitlines()))
    return next((line for line in lines if line), "")
