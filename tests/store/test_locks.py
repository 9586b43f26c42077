from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from herodeploy.domain.event import Event
from herodeploy.domain.lock import Hold, Lock, TakenBack
from herodeploy.store.store import Store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def lock(id_: str, pipeline_id: str | None, stage: str | None, hours: int = 0) -> Lock:
    return Lock(id_, pipeline_id, stage, "bob", "the sale", NOON + timedelta(hours=hours))


def event(kind: str) -> Event:
    return Event(NOON, "p1", kind, "bob", kind)


def kinds(store: Store) -> list[str]:
    return [each.kind for each in reversed(store.events("p1"))]


def test_a_stage_is_locked_by_its_own_its_pipelines_and_the_widest_locks(store: Store) -> None:
    locks = [lock("1", "p1", "production"), lock("2", "p1", None, 1), lock("3", None, None, 2)]
    others = [lock("4", "p1", "staging"), lock("5", "p2", "production"), lock("6", "p2", None)]
    for each in (*locks, *others):
        store.locks.add(each, event("lock"))
    assert store.locks.of_stage("p1", "production") == locks
    assert [each.id for each in store.locks.of_pipeline("p1")] == ["1", "4", "2", "3"]


def test_locking_and_unlocking_twice_is_locking_and_unlocking_once(store: Store) -> None:
    for _ in range(2):
        store.locks.add(lock("1", "p1", None), event("locked"))
    assert [store.locks.remove("1", event("unlocked")) for _ in range(2)] == [True, False]
    assert store.locks.of_pipeline("p1") == []
    assert kinds(store) == ["locked", "unlocked"]


def test_locks_that_have_ended_are_forgotten_with_the_next_one(store: Store) -> None:
    ended, other = (dataclasses.replace(lock(n, "p1", None), until=NOON + timedelta(hours=1)) for n in ("1", "2"))
    store.locks.add(ended, event("locked"))
    store.locks.add(other, event("locked"))
    assert store.locks.of_pipeline("p1") == [ended, other]
    newest = lock("3", "p1", None, 1)
    store.locks.add(newest, event("locked"))
    assert store.locks.of_pipeline("p1") == [newest]


def test_the_newest_hold_counts_and_is_lifted_with_the_marks(store: Store) -> None:
    first, second = (Hold("p1", "production", by, "older", NOON) for by in ("ann", "bob"))
    for hold in (first, second):
        store.locks.set_hold(hold, event("held"))
    assert store.locks.hold("p1", "production") == second
    assert store.locks.hold("p1", "staging") is None

    mark = TakenBack("p1", "production", "c1", "it did not boot", NOON, "d1")
    store.locks.take_back([mark, TakenBack("p1", "staging", "c1", "same", NOON)])
    store.locks.take_back([TakenBack("p1", "production", "c1", "again", NOON)])
    assert store.locks.taken_back("p1", "production", "c1") == mark
    assert store.locks.pauses("p1", "production", "c2"), "it is held"

    assert store.locks.lift_hold("p1", "production", event("lifted"))
    assert not store.locks.lift_hold("p1", "production", event("lifted"))
    assert store.locks.hold("p1", "production") is None
    assert store.locks.taken_back("p1", "production", "c1") is None
    assert store.locks.taken_back("p1", "staging", "c1") is not None
    assert [store.locks.pauses("p1", stage) for stage in ("production", "staging", "test")] == [False, True, False]
    assert [store.locks.pauses("p1", "staging", commit) for commit in ("c1", "c2")] == [True, False]
    assert kinds(store) == ["held", "held", "lifted"]
