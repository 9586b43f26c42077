"""Did this very artifact prove well in the stages before?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec

KIND = "upstream"
OPTIONS = frozenset({"verified_in"})


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Pass when it was verified there, wait until it is; a first stage has nothing before it.

    Options of `spec`:
        verified_in: ``last``, the stage just before, unless given; ``all`` of those before, or ``any`` of them.
    """
    earlier = [stage.name for stage in facts.pipeline.earlier(facts.stage.name)]
    wanted = str(spec.options.get("verified_in", "last"))
    asked = earlier if wanted in ("all", "any") else earlier[-1:]
    found = [name for name in asked if name in facts.verified_in and facts.slug_id is not None]
    known = {"stage": earlier[-1] if earlier else None, "slug_id": facts.slug_id, "verified_in": found}
    if not asked:
        return Verdict(KIND, Answer.PASS, f"nothing comes before {facts.stage.name}", facts=known)
    if len(found) == len(asked) or (found and wanted == "any"):
        return Verdict(KIND, Answer.PASS, f"verified in {' and '.join(found)}", facts=known)
    missing = f" {'or' if wanted == 'any' else 'and'} ".join(name for name in asked if name not in found)
    return Verdict(KIND, Answer.WAIT, f"not verified in {missing}, or taken back there since", facts=known)
