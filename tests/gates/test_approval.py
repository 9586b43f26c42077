from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from herodeploy.domain.approval import Approval
from herodeploy.domain.gate import Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import approval

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COMMAND = "herodeploy approve 20261123-120000-a1"
MakeFacts = Callable[..., Facts]


def word(
    by: str, *, minutes_ago: int = 1, slug: str = "s1", approved: bool = True, comment: str | None = None
) -> Approval:
    at = NOON - timedelta(minutes=minutes_ago)
    return Approval(f"{by}{minutes_ago}", "20261123-120000-a1", "production", slug, by, at, approved, comment)


def ask(facts: MakeFacts, *words: Approval, author: str = "ann@example.com", **options: object) -> Verdict:
    return approval.ask(facts(approvals=words, author=author), GateSpec("approval", options), NOON)


def test_it_waits_and_says_how_to_answer(facts: MakeFacts) -> None:
    verdict = ask(facts)
    assert (verdict.answer, verdict.reason) == ("WAIT", f"waits for an approval: {COMMAND}")


def test_one_yes_is_enough_unless_more_are_wanted(facts: MakeFacts) -> None:
    assert ask(facts, word("bob")).reason == "approved by bob"
    verdict = ask(facts, word("bob"), count=2)
    assert (verdict.answer, verdict.reason) == ("WAIT", f"waits for 2 approvals, 1 given: {COMMAND}")
    verdict = ask(facts, word("bob", minutes_ago=2), word("cat"), count=2)
    assert (verdict.answer, verdict.reason) == ("PASS", "approved by bob and cat")


def test_the_same_person_counts_once(facts: MakeFacts) -> None:
    assert ask(facts, word("bob", minutes_ago=2), word("BOB"), count=2).answer == "WAIT"


def test_one_no_fails_with_its_reason(facts: MakeFacts) -> None:
    verdict = ask(facts, word("cat"), word("bob", approved=False, comment="the sale runs"))
    assert (verdict.answer, verdict.reason) == ("FAIL", "rejected by bob: the sale runs")
    assert ask(facts, word("bob", approved=False)).reason == "rejected by bob"


def test_a_persons_latest_word_counts(facts: MakeFacts) -> None:
    no, yes = word("bob", minutes_ago=9, approved=False), word("bob", minutes_ago=1)
    assert ask(facts, yes, no).answer == "PASS"
    assert ask(facts, word("bob", minutes_ago=9), word("bob", approved=False)).answer == "FAIL"


def test_a_word_of_a_clock_ahead_is_heard_at_once(facts: MakeFacts) -> None:
    assert ask(facts, word("bob", minutes_ago=-2)).answer == "PASS"
    assert ask(facts, word("bob", minutes_ago=-2, approved=False)).answer == "FAIL"


def test_a_word_for_another_artifact_is_void(facts: MakeFacts) -> None:
    assert ask(facts, word("bob", slug="s0")).answer == "WAIT"
    assert ask(facts, word("bob", slug="s0", approved=False)).answer == "WAIT"


@pytest.mark.parametrize("author", ["ann@example.com", "Ann Author <Ann@Example.com>"])
def test_the_authors_own_yes_may_not_count(facts: MakeFacts, author: str) -> None:
    assert ask(facts, word("ann@example.com"), author=author).answer == "PASS"
    verdict = ask(facts, word("ann@example.com"), author=author, by_other=True)
    assert verdict.answer == "WAIT"
    assert "ann@example.com's does not count: the author's own" in verdict.reason
    assert ask(facts, word("ann@example.com"), word("bob"), author=author, by_other=True).reason == "approved by bob"


@pytest.mark.parametrize("expires", ["1h30m", 5400, timedelta(minutes=90)])
def test_a_yes_expires(facts: MakeFacts, expires: object) -> None:
    assert ask(facts, word("bob", minutes_ago=89), expires=expires).answer == "PASS"
    verdict = ask(facts, word("bob", minutes_ago=90), expires=expires)
    assert verdict.answer == "WAIT"
    assert "bob's does not count: given more than 1h30m ago" in verdict.reason


def earlier(by: str, *, minutes_ago: int, approved: bool = True) -> Approval:
    """A word on the same artifact in another delivery."""
    return dataclasses.replace(word(by, minutes_ago=minutes_ago, approved=approved), delivery_id="20261123-100000-b2")


def test_a_yes_to_another_delivery_of_the_artifact_counts_within_the_grace(facts: MakeFacts) -> None:
    yes = earlier("bob", minutes_ago=59)
    assert ask(facts, yes).answer == "WAIT"
    assert ask(facts, yes, grace="1h").reason == "approved by bob"
    assert ask(facts, earlier("bob", minutes_ago=60), grace="1h").answer == "WAIT"
    assert ask(facts, earlier("bob", minutes_ago=9, approved=False), grace="1h").answer == "WAIT"


@pytest.mark.parametrize("who", ["bob", "cat"])
def test_a_no_to_the_artifact_ends_the_grace_of_what_was_said_before(facts: MakeFacts, who: str) -> None:
    yes, no = earlier("bob", minutes_ago=9), earlier(who, minutes_ago=8, approved=False)
    assert ask(facts, yes, no, grace="1h").answer == "WAIT"
    assert ask(facts, yes, no, word("bob"), grace="1h").answer == "PASS"
    assert ask(facts, yes, no, earlier("dan", minutes_ago=7), grace="1h").reason == "approved by dan"


@pytest.mark.parametrize(
    ("author", "by", "same"),
    [
        ("4711+Ann-A@users.noreply.github.com", "ann-a", True),
        ("Ann <ann-a@users.noreply.github.com>", "Ann-A", True),
        ("4711+ann-a@users.noreply.github.com", "ann", False),
        ("ann@example.com", "ann", False),
    ],
)
def test_an_author_at_github_may_be_known_by_login(facts: MakeFacts, author: str, by: str, same: bool) -> None:
    assert ask(facts, word(by), author=author, by_other=True).answer == ("WAIT" if same else "PASS")


def test_the_facts_say_what_it_was_taken_on(facts: MakeFacts) -> None:
    said = ask(facts, word("bob"), word("ann@example.com"), by_other=True)
    assert said.facts == {"count": 1, "by": ["bob"], "void": {"ann@example.com": "the author's own"}, "slug_id": "s1"}
