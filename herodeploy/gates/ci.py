"""Did CI pass for this commit?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec

KIND = "ci"

_ANSWERS = {
    None: (Answer.WAIT, "CI has not ended yet"),
    "succeeded": (Answer.PASS, "CI succeeded"),
    "skipped": (Answer.PASS, "CI is switched off"),
    "failed": (Answer.FAIL, "CI failed"),
    "errored": (Answer.FAIL, "CI broke off before its tests had an answer"),
    "cancelled": (Answer.FAIL, "CI was cancelled"),
}


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Pass when it succeeded or is switched off, wait while it runs, fail otherwise."""
    answer, reason = _ANSWERS.get(facts.ci, (Answer.FAIL, f"CI ended as {facts.ci}"))
    return Verdict(KIND, answer, f"{reason} for {facts.commit[:8]}", facts={"ci": facts.ci})
