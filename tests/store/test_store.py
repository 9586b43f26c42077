from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest
from support.deliveries import NOON, made

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Observation, Override
from herodeploy.domain.mode import Mode, ModeChange
from herodeploy.errors import Busy, StoreError
from herodeploy.store.store import Store


def delivery(number: int = 1, **changes: object) -> Delivery:
    at = NOON + timedelta(minutes=number)
    return made(f"20261123-1200{number:02}-a{number:03}", f"{number:040x}", at, **changes)


def event(kind: str = "delivery.created", **fields: object) -> Event:
    given = {"at": NOON, "pipeline_id": "p1", "actor": "ann@example.com", "text": "something happened", **fields}
    return Event(kind=kind, **given)  # type: ignore[arg-type]


def test_a_delivery_comes_back_as_it_was(store: Store) -> None:
    made = delivery(slug_id="s1", ci="succeeded", reason="waits", source_app_id="a", source_release_id="r")
    store.add_delivery(made, event())
    assert store.delivery(made.id) == made
    assert store.delivery("another") is None


def test_deliveries_newest_first_and_open_ones_oldest_first(store: Store) -> None:
    statuses = [Status.DELIVERED, Status.WAITING, Status.ERRORED, Status.FAILED, Status.RUNNING, Status.SUPERSEDED]
    for number, status in enumerate(statuses, 1):
        store.add_delivery(delivery(number, status=status), event())
    store.add_delivery(delivery(9, pipeline_id="p2"), event())
    assert [d.status for d in store.deliveries("p1", limit=2)] == [Status.SUPERSEDED, Status.RUNNING]
    assert [d.status for d in store.open_deliveries("p1")] == [Status.WAITING, Status.ERRORED, Status.RUNNING]


@pytest.mark.parametrize("meant", ["20261123-120002-a002", "20261123-120002", "a002", f"{2:040x}"[:40]])
def test_a_delivery_is_found_by_parts_of_its_id_or_commit(store: Store, meant: str) -> None:
    for number in (1, 2):
        store.add_delivery(delivery(number), event())
    assert [d.id for d in store.find_deliveries("p1", meant)] == ["20261123-120002-a002"]


@pytest.mark.parametrize("meant", ["%", "_", "2%", "002"])
def test_signs_with_a_meaning_in_sql_have_none_here(store: Store, meant: str) -> None:
    store.add_delivery(delivery(2), event())
    assert store.find_deliveries("p1", meant) == []


def test_a_move_changes_fields_and_writes_its_event_together(store: Store) -> None:
    store.add_delivery(delivery(), event())
    later = NOON + timedelta(hours=1)
    note = event("delivery.waits", at=later, delivery_id=delivery().id, stage="production", data={"n": [1, None]})
    moved = store.move(delivery().id, event=note, expect=Status.RUNNING, status=Status.WAITING, at_stage="production")
    assert moved == delivery(status=Status.WAITING, at_stage="production", updated_at=later, news=1)
    assert moved == store.delivery(delivery().id)
    assert store.events("p1", delivery().id) == [note]


def test_a_move_from_a_status_that_is_past_changes_nothing(store: Store) -> None:
    store.add_delivery(delivery(), event())
    with pytest.raises(Busy, match="is running by now, no longer waiting"):
        store.move(delivery().id, event=event("x"), expect=Status.WAITING, status=Status.FAILED)
    assert store.delivery(delivery().id) == delivery()
    assert len(store.events("p1")) == 1


def test_a_move_of_an_unknown_delivery(store: Store) -> None:
    with pytest.raises(StoreError, match="no delivery nowhere"):
        store.move("nowhere", event=event())


def test_only_one_of_many_moves_from_the_same_status_succeeds(store: Store) -> None:
    store.add_delivery(delivery(status=Status.WAITING), event())
    won: list[int] = []
    barrier = threading.Barrier(8)

    def approve(number: int) -> None:
        barrier.wait()
        try:
            store.move(delivery().id, event=event("go"), expect=Status.WAITING, status=Status.RUNNING)
        except Busy:
            return
        won.append(number)

    threads = [threading.Thread(target=approve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert [e.kind for e in store.events("p1")] == ["go", "delivery.created"]


def test_an_event_that_cannot_be_written_undoes_the_change(store: Store) -> None:
    store.add_delivery(delivery(), event())
    with pytest.raises(StoreError):
        store.move(delivery().id, event=event(text=None), status=Status.FAILED)
    assert store.delivery(delivery().id) == delivery()


def test_the_mode_is_the_last_throw_of_the_switch(store: Store) -> None:
    assert store.mode("p1") is None
    store.set_mode(ModeChange("p1", Mode.DEPLOYMENT, "ann", NOON, "we trust it"), event("mode.deployment"))
    store.set_mode(ModeChange("p1", Mode.DELIVERY, "bob", NOON, None), event("mode.delivery"))
    assert store.mode("p1") == ModeChange("p1", Mode.DELIVERY, "bob", NOON, None)
    assert [e.kind for e in store.events("p1")] == ["mode.delivery", "mode.deployment"]


def test_events_newest_first_by_pipeline_and_delivery(store: Store) -> None:
    for number in range(4):
        store.record_event(event(f"n{number}", delivery_id="d1" if number % 2 else None))
    store.record_event(event("other", pipeline_id="p2"))
    assert [e.kind for e in store.events("p1", limit=3)] == ["n3", "n2", "n1"]
    assert [e.kind for e in store.events("p1", "d1")] == ["n3", "n1"]


def test_a_stage_has_one_occupant_until_it_leaves(store: Store) -> None:
    assert store.occupant("p1", "production") is None
    assert store.occupy("p1", "production", "d1", NOON) == "d1"
    assert store.occupy("p1", "production", "d1", NOON) == "d1"
    assert store.occupy("p1", "production", "d2", NOON) == "d1"
    assert store.occupy("p2", "production", "d2", NOON) == "d2"
    store.vacate("p1", "production", "d2")
    assert store.occupant("p1", "production") == "d1"
    store.vacate("p1", "production", "d1")
    assert store.occupy("p1", "production", "d2", NOON) == "d2"


def test_many_rivals_agree_on_the_occupant(store: Store, url: str) -> None:
    seen: list[str] = []
    barrier = threading.Barrier(6)

    def enter(number: int) -> None:
        rival = Store.open(url)
        barrier.wait()
        seen.append(rival.occupy("p1", "production", f"d{number}", NOON))
        rival.close()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert len(set(seen)) == 1


def test_verified_artifacts_latest_first(store: Store) -> None:
    def verified(slug: str, version: int, minutes: int, app: str = "a1") -> None:
        at = NOON + timedelta(minutes=minutes)
        store.record_verified("p1", "production", app, f"r{version}", version, slug, "c1", None, at, app)

    verified("s1", 1, 0)
    verified("s2", 2, 1)
    verified("s2", 2, 9)
    verified("s2", 1, 2, "a2")
    verified("s1", 3, 3)
    assert store.verified_slugs("p1", "production") == ["s1", "s2"]
    assert store.is_verified("p1", "production", "s2", ["a1", "a2"])
    assert not store.is_verified("p1", "staging", "s2", ["a1"])
    assert not store.is_verified("p1", "production", "s3", ["a1"])
    assert store.is_verified("p1", "production", "s1", ["a1"])
    assert [store.verified_commit("p1", stage, "s2") for stage in ("production", "staging")] == ["c1", None]
    assert not store.is_verified("p1", "production", "s1", ["a1", "a2"]), "one app of several is not enough"


def test_a_verification_that_failed_wins_over_those_before_it(store: Store) -> None:
    def verified(slug: str, version: int, stage: str = "production") -> None:
        store.record_verified("p1", stage, f"a{version}", f"r{version}", version, slug, "c1", None, NOON, "a")

    for slug, version in (("s1", 1), ("s1", 2), ("s2", 3)):
        verified(slug, version)
    verified("s1", 1, "staging")
    store.forget_verified("p1", "production", "s1")
    assert store.verified_slugs("p1", "production") == ["s2"]
    assert store.is_verified("p1", "staging", "s1", ["a"])
    verified("s1", 1)
    assert store.is_verified("p1", "production", "s1", ["a"])


def test_times_of_any_zone_come_back_in_utc_and_naive_ones_are_refused(store: Store) -> None:
    tokyo = datetime(2026, 11, 23, 21, 0, tzinfo=timezone(timedelta(hours=9)))
    store.record_event(event(at=tokyo))
    assert store.events("p1")[0].at.isoformat() == "2026-11-23T12:00:00+00:00"
    with pytest.raises(StoreError, match="no time zone"):
        store.record_event(event(at=datetime(2026, 11, 23)))


def test_overrides_and_observations_are_kept(store: Store) -> None:
    store.add_delivery(delivery(), event())
    override = Override("1", delivery().id, "production", "s1", "ci", "bob", NOON, "the test is wrong")
    store.gates.add_override(override, event("gate.overridden"))
    assert store.gates.overrides(delivery().id, "production") == [override]
    assert store.gates.overrides(delivery().id, "staging") == []

    first, second = Observation(NOON, {"n": 1}), Observation(NOON, {"n": 2}, "the network")
    for seen in (first, second):
        store.gates.record_observation(delivery().id, "production", "http", seen)
    store.gates.record_observation(delivery().id, "production", "soak", first)
    assert store.gates.observations(delivery().id, "production") == {"http": second, "soak": first}
