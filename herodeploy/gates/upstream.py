"""Did this very artifact prove well in the stage before?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec

KIND = "upstream"


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Pass when it was verified there, wait until it is; a first stage has nothing before it."""
    before = facts.pipeline.before(facts.stage.name)
    known = {"stage": before.name if before else None, "slug_id": facts.slug_id}
    if before is None:
        return Verdict(KIND, Answer.PASS, f"nothing comes before {facts.stage.name}", facts=known)
    if facts.slug_id is not None and facts.verified_upstream:
        return Verdict(KIND, Answer.PASS, f"verified in {before.name}", facts=known)
    return Verdict(KIND, Answer.WAIT, f"not verified in {before.name}, or taken back there since", facts=known)
