from __future__ import annotations

from datetime import timedelta

from support.deliveries import LATER, NOON, approve, event, now, waiting

from herodeploy.domain.delivery import Status
from herodeploy.store.store import Store


def due(store: Store, at: object = NOON) -> list[str]:
    return [each.id for each in store.due.deliveries("p1", at, 10)]  # type: ignore[arg-type]


def test_due_is_what_runs_what_has_news_and_what_has_its_time(store: Store) -> None:
    waiting(store, 1)
    waiting(store, 2, recheck_at=LATER)
    waiting(store, 3, status=Status.ERRORED, recheck_at=LATER + timedelta(hours=1))
    waiting(store, 4, status=Status.RUNNING)
    waiting(store, 5, status=Status.DELIVERED, recheck_at=NOON)
    waiting(store, 6, pipeline_id="p2", recheck_at=NOON)
    waiting(store, 7)
    assert due(store) == ["d4"]
    assert store.due.next_at("p1") == LATER
    assert due(store, LATER) == ["d4", "d2"]
    approve(store, 7)
    store.due.ask("d3", None)
    assert due(store, LATER) == ["d4", "d7", "d2", "d3"], "what a person asks for comes before what is due by itself"
    assert store.due.deliveries("p1", LATER, 1)[0].id == "d4"


def test_one_that_soaks_is_due_at_its_next_look(store: Store) -> None:
    soaks = waiting(store, 1, status=Status.RUNNING, recheck_at=LATER)
    waiting(store, 2, recheck_at=LATER + timedelta(hours=1))
    waiting(store, 3, status=Status.RUNNING, pipeline_id="p2", recheck_at=NOON)
    assert due(store) == []
    assert store.due.next_at("p1") == LATER
    assert store.due.running("p1") == [soaks]
    assert due(store, LATER) == ["d1"]
    store.due.put_off("d1", LATER + timedelta(minutes=30))
    assert (due(store, LATER), store.due.next_at("p1")) == ([], LATER + timedelta(minutes=30))
    store.due.put_off("d1", None)
    assert (due(store), [each.soaks for each in store.due.running("p1")]) == (["d1"], [False])


def test_asking_for_one_or_all_has_them_looked_at(store: Store) -> None:
    for number, status in enumerate((Status.WAITING, Status.ERRORED, Status.RUNNING, Status.FAILED), 1):
        waiting(store, number, status=status)
    store.due.ask("d1", "ann")
    assert (now(store).news, now(store).asked_by) == (1, "ann")
    store.due.ask_all("p1")
    assert {each.id: each.news for each in store.deliveries("p1")} == {"d1": 2, "d2": 1, "d3": 0, "d4": 0}
    assert store.due.next_at("p2") is None


def test_one_that_begins_to_wait_is_due(store: Store) -> None:
    waiting(store, status=Status.RUNNING)
    store.move("d1", event=event("deploy.succeeded"), status=Status.WAITING, at_stage="production")
    assert due(store) == ["d1"]
