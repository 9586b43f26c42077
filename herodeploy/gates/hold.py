"""Did a person, or an automatic rollback, put an older release into this stage?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec

KIND = "hold"


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Wait while the stage is held, or this commit was taken back from it; a person's later yes passes.

    Rules as of Kargo's holds: a person establishes them, automation never lifts them.
    """
    reasons = [f"automatic promotion into {facts.stage.name} pauses: {why}" for why, since in _in_the_way(facts)]
    known: dict[str, object] = {"held": facts.hold is not None, "taken_back": facts.taken_back is not None}
    if not reasons:
        return Verdict(KIND, Answer.PASS, f"nobody put an older release into {facts.stage.name}", facts=known)
    said = _wanted_by(facts)
    if said:
        return Verdict(KIND, Answer.PASS, f"{said[-1]} wants it nevertheless", facts=known)
    known["in_the_way_since"] = max(since for _, since in _in_the_way(facts)).isoformat()
    way_out = f"herodeploy resume-auto {facts.stage.name}, or herodeploy approve {facts.delivery_id}"
    return Verdict(KIND, Answer.WAIT, f"{'; '.join(reasons)}: {way_out}", facts=known)


def _in_the_way(facts: Facts) -> list[tuple[str, datetime]]:
    found = []
    if facts.hold is not None:
        found.append((f"{facts.hold.by} put an older release there ({facts.hold.why})", facts.hold.since))
    if facts.taken_back is not None:
        found.append((f"{facts.commit[:8]} was taken back ({facts.taken_back.why})", facts.taken_back.at))
    return found


def _wanted_by(facts: Facts) -> list[str]:
    """Return who said yes to this artifact after everything that is in the way."""
    newest = max(since for _, since in _in_the_way(facts))
    return [
        word.by
        for word in facts.approvals
        if word.approved and word.delivery_id == facts.delivery_id and word.at >= newest
    ]
