from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from herodeploy.domain.gate import Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import checks
from herodeploy.gates.evaluate import recheck_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakeFacts = Callable[..., Facts]
STATES = {"success": "succeeded", "neutral": "succeeded", "failure": "failed", "cancelled": "errored"}


def ask(facts: MakeFacts, said: Mapping[str, str], /, seen: Mapping[str, Any] | None = None, **options: Any) -> Verdict:
    """Ask with checks by name and GitHub's word for each."""
    found = [
        {"name": name, "said": word, "state": STATES.get(word, "pending"), "url": None} for name, word in said.items()
    ]
    data = {"checks": found, "red": [], "unseen": 0, "unknown": {}, **(seen or {})}
    return checks.ask(facts(observations={"checks": Observation(NOON, data)}), GateSpec("checks", options), NOON)


@pytest.mark.parametrize(
    ("said", "options", "answer", "reason"),
    [
        ({"test": "success", "lint": "neutral"}, {}, "PASS", "2 checks succeeded for 01234567"),
        ({}, {}, "WAIT", "no check has reported for 01234567 yet"),
        ({"test": "in_progress"}, {}, "WAIT", "test is not done for 01234567"),
        ({"a": "queued", "b": "in_progress", "c": "success"}, {}, "WAIT", "a, b are not done for 01234567"),
        ({"test": "failure", "lint": "queued"}, {}, "FAIL", "test says failure for 01234567"),
        ({"test": "cancelled"}, {}, "WAIT", "test says cancelled for 01234567; run it again on GitHub"),
        # What must report.
        ({"test": "success"}, {"require": ["test"]}, "PASS", "1 check succeeded for 01234567"),
        ({"lint": "success"}, {"require": ["test"]}, "WAIT", "missing: test never reported for 01234567"),
        ({"ci/a": "success"}, {"require": ["ci/*"]}, "PASS", "1 check succeeded for 01234567"),
        ({}, {"require": ["ci/*", "lint"]}, "WAIT", "missing: ci/*, lint never reported for 01234567"),
        # Others count, too, but for those that are allowed to fail or hidden.
        ({"test": "success", "lint": "failure"}, {"require": ["test"]}, "FAIL", "lint says failure for 01234567"),
        (
            {"test": "success", "lint": "failure"},
            {"allow_failure": ["l*"]},
            "PASS",
            "1 check succeeded for 01234567; lint says failure, which is allowed",
        ),
        ({"test": "success", "lint": "queued"}, {"allow_failure": ["lint"]}, "PASS", "1 check succeeded for 01234567"),
        ({"test": "success", "lint": "failure"}, {"hide": ["lint"]}, "PASS", "1 check succeeded for 01234567"),
        ({"lint": "failure"}, {"hide": ["lint"]}, "WAIT", "no check has reported for 01234567 yet"),
        (
            {"test": "success", "lint": "failure"},
            {"require": ["test"], "allow_failure": ["*"]},
            "PASS",
            "1 check succeeded for 01234567; lint says failure, which is allowed",
        ),
        # What is required or blocking counts whatever else is written.
        ({"test": "failure"}, {"require": ["test"], "allow_failure": ["*"]}, "FAIL", "test says failure for 01234567"),
        ({"test": "failure"}, {"blocking": ["test"], "hide": ["*"]}, "FAIL", "test says failure for 01234567"),
        # A name is a name, not a pattern of another one, whatever is in it.
        ({"test [3.11]": "success"}, {"require": ["test [3.11]"]}, "PASS", "1 check succeeded for 01234567"),
        ({"test (3.11)": "success"}, {"require": ["test"]}, "WAIT", "missing: test never reported for 01234567"),
    ],
)
def test_what_it_says(
    facts: MakeFacts, said: dict[str, str], options: dict[str, Any], answer: str, reason: str
) -> None:
    verdict = ask(facts, said, **options)
    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert recheck_at([verdict]) == (NOON + timedelta(minutes=1) if answer == "WAIT" else None)


def test_what_is_red_on_an_earlier_commit_waits(facts: MakeFacts) -> None:
    red = [{"commit": "fedcba9876543210", "name": "compliance", "said": "failure"}]
    verdict = ask(facts, {"test": "success"}, {"red": red}, blocking=["compliance"])
    assert (verdict.answer, verdict.reason) == ("WAIT", "compliance is red (failure) on the earlier fedcba98")


def test_it_waits_until_all_earlier_commits_were_seen(facts: MakeFacts) -> None:
    verdict = ask(facts, {"test": "success"}, {"unseen": 30}, blocking=["compliance"])
    assert (verdict.answer, verdict.reason) == ("WAIT", "30 earlier commits are still to be looked at")


@pytest.mark.parametrize(
    ("commit", "what"),
    [("fedcba9876543210", "fedcba98, which is not in this clone"), (None, "a commit that is not known")],
)
def test_it_waits_where_nobody_knows_what_came_between(facts: MakeFacts, commit: str | None, what: str) -> None:
    verdict = ask(facts, {"test": "success"}, {"unknown": {"shop": commit}}, blocking=["compliance"])
    assert verdict.answer == "WAIT"
    assert verdict.reason == (f"shop runs {what}, so nobody can tell which commits are new to it: git fetch --all")


def test_it_waits_as_long_as_github_asks(facts: MakeFacts) -> None:
    until = NOON + timedelta(minutes=7)
    verdict = ask(facts, {"test": "failure"}, {"busy": "GitHub takes no more calls", "busy_until": until.isoformat()})
    assert (verdict.answer, verdict.reason, verdict.until) == ("WAIT", "GitHub takes no more calls", until)


def test_long_lists_are_cut(facts: MakeFacts) -> None:
    verdict = ask(facts, {f"test{n}": "queued" for n in range(8)})
    assert verdict.reason == "test0, test1, test2, test3, test4 and 3 more are not done for 01234567"


def test_it_waits_for_a_first_look(facts: MakeFacts) -> None:
    assert checks.ask(facts(), GateSpec("checks"), NOON).answer == "WAIT"
