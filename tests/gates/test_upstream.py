from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from herodeploy.domain.gate import Facts
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import upstream


@pytest.mark.parametrize(
    ("stage", "verified", "slug", "answer", "reason"),
    [
        ("production", True, "s1", "PASS", "verified in staging"),
        ("production", False, "s1", "WAIT", "not verified in staging, or taken back there since"),
        ("production", True, None, "WAIT", "not verified in staging, or taken back there since"),
        ("staging", False, None, "PASS", "nothing comes before staging"),
    ],
)
def test_the_answer_follows_verification_in_the_stage_before(
    facts: Callable[..., Facts], now: datetime, stage: str, verified: bool, slug: str | None, answer: str, reason: str
) -> None:
    known = facts(stage=stage, verified_upstream=verified, slug_id=slug)
    verdict = upstream.ask(known, GateSpec("upstream"), now)
    assert (verdict.kind, verdict.answer, verdict.reason) == ("upstream", answer, reason)
