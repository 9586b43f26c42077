"""The http gate's answer, from what was seen last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from herodeploy.domain.gate import Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import http

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPEC = GateSpec("http", {"url": "https://qa.example.com/ready/${COMMIT}?key=${KEY}", "timeout": timedelta(minutes=30)})
MakeFacts = Callable[..., Facts]


def seen(*, asked: int, since: int, **changes: object) -> Observation:
    at = NOON + asked * MINUTE
    told = {"status": 200, "success": False, "failure": False, "seen": {"body.state": "busy"}}
    return Observation(
        at, {**told, "asked_at": at.isoformat(), "since": (NOON + since * MINUTE).isoformat(), **changes}
    )


def ask(facts: MakeFacts, observed: Observation | None) -> Verdict:
    known = {} if observed is None else {"http": observed}
    return http.ask(facts(observations=known), SPEC, NOON + timedelta(minutes=10))


REQUEST = "GET https://qa.example.com/ready/${COMMIT}"


@pytest.mark.parametrize(
    ("observed", "answer", "reason", "until"),
    [
        (None, "WAIT", f"{REQUEST} was not asked yet", 10),
        (seen(asked=10, since=0), "WAIT",
         f"{REQUEST} answered 200 (body.state is busy), which is neither yes nor no", 11),
        (seen(asked=29, since=0), "WAIT",
         f"{REQUEST} answered 200 (body.state is busy), which is neither yes nor no", 30),
        (seen(asked=30, since=0), "FAIL",
         f"{REQUEST} answered 200 (body.state is busy), and nothing better within 30m", None),
        (seen(asked=30, since=0, success=True, seen={"body.state": None}), "PASS",
         f"{REQUEST} answered 200 (body.state is not there)", None),
        (seen(asked=10, since=0, success=True, failure=True, status=500, seen={}), "FAIL",
         f"{REQUEST} answered 500", None),
        (seen(asked=10, since=0, problem="`body > 1` has no answer: no"), "WAIT",
         f"{REQUEST} answered 200 (`body > 1` has no answer: no), which is neither yes nor no", 11),
    ],
)  # fmt: skip
def test_what_an_answer_comes_to(
    facts: MakeFacts, observed: Observation | None, answer: str, reason: str, until: int | None
) -> None:
    verdict = ask(facts, observed)
    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert verdict.look_again_at == (NOON + until * MINUTE if until else None)
    assert observed is None or verdict.until is None, "nobody knows when the answer changes"


def test_a_long_value_is_told_in_part_and_kept_whole(facts: MakeFacts) -> None:
    verdict = ask(facts, seen(asked=10, since=0, seen={"body.log": "x" * 400}))
    assert "x" * 97 + "...)" in verdict.reason
    assert verdict.facts["seen"] == {"body.log": "x" * 400}


def test_what_is_shown_of_an_address_has_neither_query_nor_password() -> None:
    spec = GateSpec("http", {"url": "https://ann:hunter2@qa.example.com?key=1", "method": "POST"})
    assert http.shown(spec) == "POST https://qa.example.com/"
