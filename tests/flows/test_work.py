"""The standing worker, on a real local platform: it takes up what is due, when it is, and leaves the rest alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from herodeploy.app import exclusive
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import PlatformUnreachable, StoreError
from herodeploy.flows import deliver, locks, mode, work
from herodeploy.gates import registry
from herodeploy.gates.registry import Gate

Shop = Any


def look(shop: Shop) -> float:
    return work.look(shop.services, shop.engine)


def now(shop: Shop, delivery: Delivery) -> Delivery:
    found = shop.services.store.delivery(delivery.id)
    assert isinstance(found, Delivery)
    return found


def record(shop: Shop) -> Delivery:
    """What `deliver` does where a worker stands by."""
    return deliver.start_delivery(shop.services, shop.services.repo.head())


def later(shop: Shop, how_much: timedelta) -> None:
    """Let time pass, as far as this shop can tell."""
    clock = shop.services.clock
    shop.services.clock = lambda: clock() + how_much


@contextmanager
def no_turn() -> Iterator[Any]:
    raise AssertionError("nothing is due, so nobody needs a turn")
    yield


def test_a_recorded_delivery_goes_as_far_as_it_can_and_an_approval_sends_it_on(shop: Shop) -> None:
    delivery = record(shop)
    assert look(shop) == work.LONGEST
    waiting = now(shop, delivery)
    assert (waiting.status, waiting.at_stage, waiting.news) == (Status.WAITING, "production", 0)
    assert work.look(shop.services, no_turn) == work.LONGEST

    deliver.approve(shop.services, delivery.id)
    look(shop)
    assert now(shop, delivery).status is Status.DELIVERED


def test_a_persons_own_lock_is_passed_for_them_alone(shop: Shop) -> None:
    locks.lock(shop.services, "staging", why="mine")
    delivery = record(shop)
    look(shop)
    assert now(shop, delivery).at_stage == "production", "who delivers passes their own lock"
    locks.lock(shop.services, "production", why="mine, too")
    shop.services.actor = "bob@example.com"
    deliver.approve(shop.services, delivery.id)
    look(shop)
    assert now(shop, delivery).status is Status.WAITING
    shop.services.actor = "ann@example.com"
    locks.unlock(shop.services, "production")
    look(shop)
    assert now(shop, delivery).status is Status.DELIVERED, "the approval was there, and the lock is gone"


def test_a_lock_that_ends_is_looked_at_when_it_does(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    began = shop.services.clock()
    shop.services.clock = lambda: began  # however long the way to production takes
    locks.lock(shop.services, "production", why="lunch", until=began + timedelta(seconds=20))
    shop.services.actor = "bob@example.com"
    delivery = record(shop)
    left = look(shop)
    assert now(shop, delivery).status is Status.WAITING
    assert left == 20, "it is not woken for nothing, and not too late"
    later(shop, timedelta(seconds=20))
    look(shop)
    assert now(shop, delivery).status is Status.DELIVERED


def test_while_somebody_else_is_at_work_it_waits_for_its_turn(shop: Shop) -> None:
    delivery = record(shop)
    with exclusive(shop.services):
        assert look(shop) == work.WHILE_BUSY
    assert now(shop, delivery).at_stage == "test"


def test_an_errored_one_is_tried_again_after_pauses_that_grow(own_shop: Callable[..., Any]) -> None:
    platform, shop = own_shop()
    delivery = record(shop)
    platform.stop()
    pauses = []
    for attempt in (1, 2, 3):
        look(shop)
        errored = now(shop, delivery)
        assert (errored.status, errored.attempt) == (Status.ERRORED, attempt)
        assert errored.recheck_at is not None
        pauses.append(errored.recheck_at - errored.updated_at)
        assert work.look(shop.services, no_turn) <= pauses[-1].total_seconds()
        later(shop, pauses[-1])
    assert pauses == [timedelta(seconds=seconds) for seconds in (5, 10, 20)]
    assert deliver.pause_after(99) == deliver.LONGEST_PAUSE

    platform.start()
    look(shop)
    assert (now(shop, delivery).status, now(shop, delivery).attempt) == (Status.WAITING, 1)


def test_one_that_cannot_be_judged_keeps_nobody_from_the_others(shop: Shop) -> None:
    delivery = record(shop)
    lost = replace(
        delivery, id=f"{delivery.id}-z", commit="f" * 40, status=Status.WAITING, at_stage="europe", asked_by="bob"
    )
    shop.services.store.add_delivery(replace(lost, news=1), shop.services.event("delivery.created", "made"))
    assert look(shop) == work.STUCK
    assert now(shop, delivery).at_stage == "production"
    assert any("no stage 'europe'" in each for each in shop.told("warning"))


def test_a_fault_of_our_own_is_told_and_the_others_go_on(shop: Shop) -> None:
    delivery = record(shop)
    heroku = shop.services.heroku

    class Faulty:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("no such thing")

    builds, heroku.builds = heroku.builds, Faulty()
    look(shop)
    assert now(shop, delivery).status is Status.ERRORED
    assert any("a fault of herodeploy's own: RuntimeError" in each for each in shop.told("warning"))
    heroku.builds = builds
    later(shop, timedelta(minutes=1))
    look(shop)
    assert now(shop, delivery).status is Status.WAITING


def test_a_fault_in_a_gate_is_told_and_the_others_are_judged(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = shop.deliver()
    store = shop.services.store
    other = replace(waiting, id=f"{waiting.id}-z", commit="f" * 40, news=1)
    store.add_delivery(other, shop.services.event("delivery.created", "made", delivery_id=other.id))
    store.due.ask(waiting.id, None)
    faulty = True

    def ask(facts: Facts, spec: GateSpec, now: object) -> Verdict:
        if faulty and facts.delivery_id == waiting.id:
            raise KeyError("run")
        return Verdict("odd", Answer.WAIT, "not before noon")

    monkeypatch.setitem(registry.GATES, "odd", Gate("odd", ask))
    first, last = shop.services.spec.stages
    stages = (first, replace(last, gates=(GateSpec("odd"),)))
    shop.services.spec = replace(shop.services.spec, stages=stages)
    assert look(shop) == work.STUCK
    assert "not before noon" in now(shop, other).reason
    assert now(shop, waiting).news == 1, "it is asked again"
    assert [each for each in shop.told("warning") if "KeyError" in each] == [
        f"cannot ask the gates before production for {waiting.id}: a fault of herodeploy's own: KeyError: 'run'"
    ]
    faulty = False
    assert look(shop) == work.LONGEST
    assert "not before noon" in now(shop, waiting).reason


def test_many_that_may_go_on_are_let_in_one_after_the_other(shop: Shop) -> None:
    waiting = shop.deliver()
    store = shop.services.store
    copies = [f"{waiting.id}-{number}" for number in range(3)]
    for number, copy in enumerate(copies):
        other = replace(waiting, id=copy, commit=f"{number:040x}", news=1)
        store.add_delivery(other, shop.services.event("delivery.created", "made", delivery_id=copy))
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    work.judge_all(shop.services, store.due.deliveries(waiting.pipeline_id, shop.services.clock(), 10))
    assert now(shop, waiting).status is Status.RUNNING
    assert [store.delivery(each).status for each in copies] == [Status.WAITING] * 3


class Bell:
    """Rings when the test says so."""

    def __init__(self, rings: list[Callable[[], None]]) -> None:
        self.rings = rings
        self.waited: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.rings.pop(0)()
        return True

    def close(self) -> None:
        """Nothing to close."""


def test_it_works_until_it_is_told_to_end_and_a_store_that_is_gone_ends_it(shop: Shop) -> None:
    delivery = shop.deliver()
    bell = Bell([lambda: None, lambda: deliver.approve(shop.services, delivery.id) and None, lambda: None])
    work.work(shop.services, shop.engine, bell, lambda: not bell.rings)
    assert now(shop, delivery).status is Status.DELIVERED
    assert bell.waited == [work.LONGEST] * 3

    def broken() -> AbstractContextManager[Any]:
        raise StoreError("the disk is full")

    record(shop)
    shop.commit(index_dot_html="two\n")
    record(shop)
    with pytest.raises(StoreError, match="the disk is full"):
        work.work(shop.services, broken, bell)


def test_the_platform_is_found_again_at_another_address(shop: Shop) -> None:
    real = shop.services.heroku
    delivery = record(shop)

    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise PlatformUnreachable("no answer")

    shop.services.heroku.test_runs = Gone()
    shop.services.heroku.builds = Gone()
    look(shop)
    assert now(shop, delivery).status is Status.ERRORED
    later(shop, timedelta(minutes=1))
    look(shop)
    assert shop.services.heroku is not real
    assert now(shop, delivery).status is Status.WAITING
