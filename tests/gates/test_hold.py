from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from herodeploy.domain.approval import Approval
from herodeploy.domain.gate import Facts
from herodeploy.domain.lock import Hold, TakenBack
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import hold

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakeFacts = Callable[..., Facts]
HOLD = Hold("p", "production", "bob", "v12 was better", NOON - timedelta(hours=1))
MARK = TakenBack("p", "production", "0123456789abcdef", "it did not boot", NOON - timedelta(minutes=30))


def yes(minutes_ago: int, *, delivery: str = "20261123-120000-a1", approved: bool = True) -> Approval:
    at = NOON - timedelta(minutes=minutes_ago)
    return Approval(str(minutes_ago), delivery, "production", "s1", "cat", at, approved)


def ask(facts: Facts) -> tuple[str, str]:
    verdict = hold.ask(facts, GateSpec("hold"), NOON)
    return verdict.answer, verdict.reason


def test_a_hold_waits_and_says_how_to_go_on(facts: MakeFacts) -> None:
    assert ask(facts())[0] == "PASS"
    answer, reason = ask(facts(hold=HOLD))
    assert answer == "WAIT"
    assert reason.startswith("automatic promotion into production pauses: bob put an older release there (v12 was")
    assert reason.endswith(": herodeploy resume-auto production, or herodeploy approve 20261123-120000-a1")


def test_a_commit_that_was_taken_back_waits(facts: MakeFacts) -> None:
    answer, reason = ask(facts(taken_back=MARK))
    assert answer == "WAIT"
    assert "01234567 was taken back (it did not boot)" in reason


def test_a_later_yes_of_a_person_passes(facts: MakeFacts) -> None:
    both = {"hold": HOLD, "taken_back": MARK}
    assert ask(facts(**both, approvals=(yes(10),))) == ("PASS", "cat wants it nevertheless")
    assert ask(facts(**both, approvals=(yes(45),)))[0] == "WAIT", "given before the commit was taken back"
    assert ask(facts(**both, approvals=(yes(10, approved=False),)))[0] == "WAIT"
    assert ask(facts(**both, approvals=(yes(10, delivery="another"),)))[0] == "WAIT"
