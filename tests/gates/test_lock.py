from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from herodeploy.domain.gate import Facts
from herodeploy.domain.lock import Lock
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import lock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakeFacts = Callable[..., Facts]
LOCK = Lock("1", "p", "production", "bob", "the sale", NOON - timedelta(hours=1))


def ask(facts: Facts) -> tuple[str, str]:
    verdict = lock.ask(facts, GateSpec("lock"), NOON)
    return verdict.answer, verdict.reason


def test_a_lock_waits_and_says_who_why_and_until_when(facts: MakeFacts) -> None:
    assert ask(facts()) == ("PASS", "production is not locked")
    assert ask(facts(locks=(LOCK,))) == ("WAIT", "production is locked by bob: the sale")
    wider = dataclasses.replace(LOCK, stage=None, until=NOON + timedelta(hours=1))
    assert ask(facts(locks=(wider,))) == (
        "WAIT",
        "the pipeline is locked by bob until 2026-11-23 13:00 UTC: the sale",
    )
    everything = dataclasses.replace(wider, pipeline_id=None, until=None)
    assert ask(facts(locks=(everything,)))[1] == "everything is locked by bob: the sale"


def test_it_is_looked_at_again_when_the_last_one_ends(facts: MakeFacts) -> None:
    locks = tuple(dataclasses.replace(LOCK, id=str(n), until=NOON + timedelta(hours=n)) for n in (2, 3, 1))
    assert lock.ask(facts(locks=locks), GateSpec("lock"), NOON).until == NOON + timedelta(hours=3)
    for_ever = lock.ask(facts(locks=(*locks, LOCK)), GateSpec("lock"), NOON)
    assert for_ever.until is None
    assert for_ever.reason == "production is locked by bob: the sale; and 3 more locks"


def test_a_few_locks_are_all_named(facts: MakeFacts) -> None:
    later = dataclasses.replace(LOCK, id="2", by="cat", why="lunch", until=NOON + timedelta(hours=1))
    own = dataclasses.replace(LOCK, id="3", by="ann", why="hers")
    everything = dataclasses.replace(LOCK, id="4", pipeline_id=None, stage=None, by="dan", why="the move")
    assert ask(facts(locks=(later, own, LOCK, everything), actor="ann"))[1] == (
        "production is locked by bob: the sale; everything is locked by dan: the move; "
        "production is locked by cat until 2026-11-23 13:00 UTC: lunch"
    )


def test_a_lock_that_has_ended_locks_no_more(facts: MakeFacts) -> None:
    assert ask(facts(locks=(dataclasses.replace(LOCK, until=NOON),)))[0] == "PASS"


def test_the_owner_passes_and_automation_does_not(facts: MakeFacts) -> None:
    assert ask(facts(locks=(LOCK,), actor="Bob")) == (
        "PASS",
        "production is locked by bob: the sale (their own lock)",
    )
    assert ask(facts(locks=(LOCK,), actor="ann"))[0] == "WAIT"
    assert ask(facts(locks=(LOCK,), actor=None))[0] == "WAIT"


def test_a_warning_only_warns(facts: MakeFacts) -> None:
    warning = dataclasses.replace(LOCK, warning=True)
    assert ask(facts(locks=(warning,))) == ("PASS", "production is locked by bob: the sale (only a warning)")
