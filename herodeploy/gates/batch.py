"""Is this few enough commits, and long enough after the last ones?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.times import utc
from herodeploy.gates import options

KIND = "batch"
OPTIONS = frozenset({"max_commits", "every"})


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Pass with at most `max_commits` since the last move into the stage, and `every` after it; each where it is given.

    Too soon is waited for. Too many are for a person to want, whose yes to this delivery passes. As of Shipit's
    max_commits and interval. What was seen has ``last_at``, ``last_commit`` and ``commits``; None before the first.
    """
    observed = facts.observed(spec)
    if observed is None or not observed.data:
        return Verdict(KIND, Answer.WAIT, "the commits have not been counted yet", until=now)
    known: dict[str, Any] = {**observed.data, "max_commits": spec.options.get("max_commits")}
    stage = facts.stage.name
    if known["last_at"] is None:
        return Verdict(KIND, Answer.PASS, f"nothing has entered {stage} before", facts=known)
    many = _too_many(facts, spec, known)
    gap = options.duration(spec.options.get("every"))
    ends = datetime.fromisoformat(known["last_at"]) + gap if gap is not None else now
    if many is not None:
        return Verdict(KIND, Answer.WAIT, many, facts=known)
    if now < ends and gap is not None:
        reason = f"something entered {stage} less than {options.spoken(gap)} ago: next {utc(ends)}"
        return Verdict(KIND, Answer.WAIT, reason, until=ends, facts=known)
    return Verdict(KIND, Answer.PASS, f"{_counted(known)} since the last that entered {stage}", facts=known)


def _too_many(facts: Facts, spec: GateSpec, known: dict[str, Any]) -> str | None:
    most = spec.options.get("max_commits")
    if most is None or known["commits"] is None or known["commits"] <= most:
        return None
    if any(word.approved and word.delivery_id == facts.delivery_id for word in facts.approvals):
        return None
    reason = f"{_counted(known)} since the last that entered {facts.stage.name}, more than {most}"
    return f"{reason}; a person has to want that: herodeploy approve {facts.delivery_id}"


def _counted(known: dict[str, Any]) -> str:
    count = known["commits"]
    return "an unknown number of commits" if count is None else "1 commit" if count == 1 else f"{count} commits"
