"""window and freeze: a freeze always wins, and each says when that changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import freeze, window
from herodeploy.gates.evaluate import decision, evaluate, recheck_at
from herodeploy.gates.registry import GATES

MakeFacts = Callable[..., Facts]
WORKDAYS = GateSpec("window", {"allow": ["Mon-Thu 09:00-16:00"], "timezone": "Europe/Berlin"})
HOLIDAYS = {"deny": ["2026-12-20..2027-01-03"], "timezone": "Europe/Berlin"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ask(facts: MakeFacts, spec: GateSpec, now: str) -> Verdict:
    gate = {"window": window.ask, "freeze": freeze.ask}[spec.kind]
    return gate(facts(), spec, at(now))


@pytest.mark.parametrize(
    ("now", "answer", "reason", "until"),
    [
        ("2026-11-25T12:00", "PASS", "the window of production is open until Wed 2026-11-25 16:00 Europe/Berlin", None),
        ("2026-11-25T16:00", "WAIT", "the window of production opens Thu 2026-11-26 09:00 Europe/Berlin",
         "2026-11-26T08:00"),
        ("2026-11-26T15:00", "WAIT", "the window of production opens Mon 2026-11-30 09:00 Europe/Berlin",
         "2026-11-30T08:00"),
    ],
)  # fmt: skip
def test_a_window_says_when_it_opens(facts: MakeFacts, now: str, answer: str, reason: str, until: str | None) -> None:
    verdict = ask(facts, WORKDAYS, now)
    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert verdict.until == (at(until) if until else None)
    assert verdict.facts["open"] is (answer == "PASS")
    assert verdict.facts["allow"] == ["Mon-Thu 09:00-16:00"]


def test_a_window_that_never_opens_says_so(facts: MakeFacts) -> None:
    verdict = ask(facts, GateSpec("window", {"allow": ["2026-11-24"]}), "2026-11-25T12:00")
    assert (verdict.answer, verdict.until) == ("WAIT", None)
    assert verdict.reason == "the window of production does not open before 2037: change allow in herodeploy.yml"
    always = ask(facts, GateSpec("window", {"allow": ["Mon-Sun"]}), "2026-11-25T12:00")
    assert (always.answer, always.reason) == ("PASS", "the window of production is open")


@pytest.mark.parametrize(
    ("options", "now", "answer", "reason"),
    [
        ({}, "2026-12-19T22:59", "PASS",
         "production is not frozen; the next freeze begins Sun 2026-12-20 00:00 Europe/Berlin"),
        ({}, "2026-12-19T23:00", "WAIT", "production is frozen until Mon 2027-01-04 00:00 Europe/Berlin"),
        ({"why": "peak season"}, "2027-01-03T22:59", "WAIT",
         "production is frozen until Mon 2027-01-04 00:00 Europe/Berlin: peak season"),
        ({}, "2027-01-03T23:00", "PASS", "production is not frozen"),
        ({"deny": ["Mon-Sun"], "why": "end of life"}, "2027-01-03T23:00", "WAIT",
         "production is frozen and does not thaw before 2038: end of life; change deny in herodeploy.yml"),
    ],
)  # fmt: skip
def test_a_freeze_says_until_when_and_why(
    facts: MakeFacts, options: dict[str, object], now: str, answer: str, reason: str
) -> None:
    verdict = ask(facts, GateSpec("freeze", {**HOLIDAYS, **options}), now)
    assert (verdict.answer, verdict.reason) == (answer, reason)
    assert verdict.facts["why"] == options.get("why")


def test_a_freeze_wins_over_a_window(facts: MakeFacts) -> None:
    frozen = GateSpec("freeze", {"deny": [{"rrule": "FREQ=MONTHLY", "start": "2026-01-25 12:00", "duration": "1h"}]})
    given = facts(WORKDAYS, frozen, mode=Mode.DEPLOYMENT)
    verdicts = evaluate(given, at("2026-11-25T12:30"))
    assert {v.kind: v.answer for v in verdicts if v.kind in ("window", "freeze")} == {
        "window": "PASS",
        "freeze": "WAIT",
    }
    assert decision(verdicts) is Answer.WAIT
    assert recheck_at(verdicts) == at("2026-11-25T13:00")
    assert verdicts[-1].facts["deny"] == ["FREQ=MONTHLY from 2026-01-25 12:00 for 1h"]
    assert decision(evaluate(given, at("2026-11-25T13:00"))) is Answer.PASS


def test_a_freeze_binds_people_too() -> None:
    assert GATES["freeze"].by_hand
    assert not GATES["window"].by_hand
