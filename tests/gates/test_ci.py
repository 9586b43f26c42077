from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from herodeploy.domain.gate import Facts
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import ci


@pytest.mark.parametrize(
    ("result", "answer", "reason"),
    [
        ("succeeded", "PASS", "CI succeeded for 01234567"),
        ("skipped", "PASS", "CI is switched off for 01234567"),
        (None, "WAIT", "CI has not ended yet for 01234567"),
        ("failed", "FAIL", "CI failed for 01234567"),
        ("errored", "FAIL", "CI broke off before its tests had an answer for 01234567"),
        ("cancelled", "FAIL", "CI was cancelled for 01234567"),
        ("something new", "FAIL", "CI ended as something new for 01234567"),
    ],
)
def test_the_answer_follows_ci(
    facts: Callable[..., Facts], now: datetime, result: str | None, answer: str, reason: str
) -> None:
    verdict = ci.ask(facts(ci=result), GateSpec("ci"), now)
    assert (verdict.kind, verdict.answer, verdict.reason, verdict.facts) == ("ci", answer, reason, {"ci": result})
