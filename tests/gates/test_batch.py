"""The batch gate: few at once, or a person wants them; not too often, however much anybody wants it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from herodeploy.domain.approval import Approval
from herodeploy.domain.gate import Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import batch

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MakeFacts = Callable[..., Facts]
MANY = "9 commits since the last that entered production, more than 8; a person has to want that"
BOTH = {"max_commits": 8, "every": HOUR}


def ask(facts: MakeFacts, options: dict[str, object], commits: int | None, ago: float, **changes: object) -> Verdict:
    seen = {"last_at": (NOON - ago * HOUR).isoformat(), "last_commit": "c0ffee", "commits": commits}
    given = facts(observations={"batch": Observation(NOON, seen)}, **changes)
    return batch.ask(given, GateSpec("batch", options), NOON)


@pytest.mark.parametrize(
    ("options", "commits", "ago", "answer", "reason", "until"),
    [
        (BOTH, 8, 1, "PASS", "8 commits since the last that entered production", None),
        (BOTH, 1, 9, "PASS", "1 commit since the last that entered production", None),
        (BOTH, 9, 9, "WAIT", f"{MANY}: herodeploy approve 20261123-120000-a1", None),
        (BOTH, 8, 0.5, "WAIT", "something entered production less than 1h ago: next 2026-11-23 12:30 UTC", 0.5),
        ({"max_commits": 8}, 8, 0, "PASS", "8 commits since the last that entered production", None),
        ({"every": HOUR}, 900, 1, "PASS", "900 commits since the last that entered production", None),
        (BOTH, None, 1, "PASS", "an unknown number of commits since the last that entered production", None),
    ],
)  # fmt: skip
def test_what_it_says(
    facts: MakeFacts,
    options: dict[str, object],
    commits: int,
    ago: float,
    answer: str,
    reason: str,
    until: float | None,
) -> None:
    verdict = ask(facts, options, commits, ago)
    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert verdict.until == (NOON + until * HOUR if until else None)
    assert verdict.facts["commits"] == commits


def test_a_person_may_want_many_but_not_soon(facts: MakeFacts) -> None:
    word = Approval("1", "20261123-120000-a1", "production", "s1", "bob", NOON, True, None)
    assert ask(facts, BOTH, 9, 1, approvals=(word,)).answer == "PASS"
    assert ask(facts, BOTH, 9, 0.5, approvals=(word,)).answer == "WAIT"
    other = Approval("1", "20261122-120000-b2", "production", "s1", "bob", NOON, True, None)
    assert ask(facts, BOTH, 9, 1, approvals=(other,)).answer == "WAIT", "it was said of fewer commits"


def test_the_first_of_all_passes(facts: MakeFacts) -> None:
    seen = Observation(NOON, {"last_at": None, "last_commit": None, "commits": None})
    verdict = batch.ask(facts(observations={"batch": seen}), GateSpec("batch", BOTH), NOON)
    assert (verdict.answer, verdict.reason) == ("PASS", "nothing has entered production before")
    assert batch.ask(facts(), GateSpec("batch", BOTH), NOON).answer == "WAIT"
