"""Waiting for a stage that a delivery holds, on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.two_apps import two_apps

from herodeploy.app import exclusive
from herodeploy.cli.turn import take_turn
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import Busy, Locked, Occupied, Refused, UsageError
from herodeploy.flows import locks, promote
from herodeploy.flows.choose import Wish
from herodeploy.flows.occupancy import free
from herodeploy.flows.services import Services
from herodeploy.store.store import Store

Shop = Any


@pytest.fixture(params=["sqlite", "postgresql"])
def held(request: pytest.FixtureRequest, make: Any) -> Iterator[tuple[Shop, Delivery]]:
    """Production is held by a delivery that was cut on its way into it."""
    shop = make()
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        shop = shop.like(open_store=lambda: Store.open(url))
    services = shop.services
    waiting = shop.deliver()
    event = services.event("gates.passed", "it may", delivery_id=waiting.id)
    running = services.store.move(waiting.id, event=event, status=Status.RUNNING)
    services.store.occupy(running.pipeline_id, "production", running.id, services.clock())
    yield shop, running
    services.close()


def ends(services: Services, delivery: Delivery) -> None:
    """What another herodeploy does that carries it on to its end."""
    event = services.event("promotion.failed", "no", delivery_id=delivery.id)
    services.store.move(delivery.id, event=event, status=Status.FAILED)
    services.store.vacate(delivery.pipeline_id, "production", delivery.id)


def test_who_does_not_wait_is_told_who_holds_the_stage(held: tuple[Shop, Delivery]) -> None:
    shop, running = held
    with pytest.raises(Occupied, match=f"delivery {running.id} is on its way into production") as caught:
        take_turn(shop.services, exclusive, "again", None, lambda _: promote.promote(shop.services))
    assert (caught.value.stage, caught.value.holder) == ("production", running.id)
    [refusal] = promote.plan(shop.services, Wish()).refused_by
    assert (refusal.by, refusal.reason) == ("stage", caught.value.message), "a plan says it, too"


def test_who_waits_lets_others_work_and_goes_on_when_the_stage_is_free(held: tuple[Shop, Delivery]) -> None:
    shop, running = held
    paused = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        with exclusive(shop.services):
            ends(shop.services, running)
        shop.services.pause = usual

    usual, shop.services.pause = shop.services.pause, pause
    view = take_turn(shop.services, exclusive, "again", "1m", lambda _: promote.promote(shop.services))
    assert view.stage == "production"
    assert paused == [1.0], "one look a second"
    assert (
        shop.told("wait")[-1]
        == f"delivery {running.id} is on its way into production; it goes on with: herodeploy resume"
    )
    assert shop.slug(shop.app("production")) == running.slug_id


def test_who_has_waited_long_enough_is_told_so(held: tuple[Shop, Delivery]) -> None:
    shop, running = held
    shop.services.pause = lambda seconds: None
    with pytest.raises(Busy, match=f"delivery {running.id} is on its way into production, still after 1s"):
        take_turn(shop.services, exclusive, "again", "1s", lambda _: promote.promote(shop.services))
    with pytest.raises(UsageError, match="--lock-wait is 'long', which is no length of time"):
        take_turn(shop.services, exclusive, "again", "long", lambda _: None)


@pytest.fixture
def locked(shop: Shop) -> Shop:
    """Ann wants to promote, and bob has locked production."""
    shop.deliver()
    bob = dataclasses.replace(shop.services, actor="bob@example.com")
    shop.seen_by.append(bob)
    locks.lock(bob, "production", why="the sale")
    return shop


def test_who_waits_for_a_lock_is_told_whose_it_is_and_goes_on_when_it_is_gone(locked: Shop) -> None:
    paused = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        with exclusive(locked.services):
            locks.unlock(locked.services, "production")
        locked.services.pause = usual

    usual, locked.services.pause = locked.services.pause, pause
    view = take_turn(locked.services, exclusive, "again", "1m", lambda _: promote.promote(locked.services))
    assert (view.stage, paused) == ("production", [1.0])
    told = "lock: production is locked by bob@example.com: the sale; herodeploy unlock lets it in"
    assert told in locked.told("wait")


def test_who_waits_for_two_locks_waits_until_both_are_gone(locked: Shop) -> None:
    cat = dataclasses.replace(locked.services, actor="cat@example.com")
    locked.seen_by.append(cat)
    left = [locks.lock(cat, why="the news", scope="everything").id, "production"]
    usual = locked.services.pause
    locked.services.pause = lambda seconds: locks.unlock(locked.services, left.pop()) if left else usual(seconds)
    view = take_turn(locked.services, exclusive, "again", "1m", lambda _: promote.promote(locked.services))
    assert (view.stage, left) == ("production", [])
    [told] = [told for told in locked.told("wait") if told.startswith("lock: ")]
    assert "by cat@example.com: the news" in told
    assert "by bob@example.com: the sale" in told


@pytest.mark.parametrize("override", [None, "cat agrees"])
def test_who_is_halted_between_two_waves_waits_for_the_new_lock_and_goes_on(
    make: Any, monkeypatch: pytest.MonkeyPatch, override: str | None
) -> None:
    shop = two_apps(make, waves=2)
    shop.apply()
    waiting = shop.deliver()
    bob, promotions = dataclasses.replace(shop.services, actor="bob@example.com"), shop.services.heroku.promotions
    cat = dataclasses.replace(shop.services, actor="cat@example.com")
    shop.seen_by += [bob, cat]
    left = [bob, cat] if override else [bob]
    if override:
        locks.lock(cat, "production", why="the news")

    def create(*arguments: Any) -> Any:
        monkeypatch.undo()
        promotion = promotions.create(*arguments)
        locks.lock(bob, "production", why="the sale")
        return promotion

    def unlocked(seconds: float) -> None:
        if left and any(told.endswith("herodeploy unlock lets it in") for told in shop.told("wait")):
            assert shop.slug(shop.services.spec.stages[1].apps[1]) is None, "it waits for both"
            locks.unlock(left.pop(), "production")
        usual(seconds)

    monkeypatch.setattr(promotions, "create", create)
    usual, shop.services.pause = shop.services.pause, unlocked
    view = take_turn(
        shop.services, exclusive, "again", "1m", lambda _: promote.promote(shop.services, override=override)
    )
    assert set(view.apps) == set(shop.services.spec.stages[1].apps)
    assert {shop.slug(app) for app in view.apps} == {waiting.slug_id}
    assert shop.kinds().count("promotion.started") == 1
    assert shop.kinds().count("gate.overridden") == len([override] if override else []), "nobody decided about bob's"


def test_who_waits_for_a_lock_in_vain_is_refused_as_without(locked: Shop) -> None:
    locked.services.pause = lambda seconds: None
    for wait, more in ((None, ""), ("1s", ", still after 1s")):
        with pytest.raises(Locked) as refused:
            take_turn(locked.services, exclusive, "again", wait, lambda _: promote.promote(locked.services))
        assert refused.value.message == f"lock: production is locked by bob@example.com: the sale{more}"
        assert refused.value.hint.startswith("wait for it with --lock-wait 10m, or go past it: herodeploy promote ")


def test_another_gate_beside_the_lock_is_not_waited_for(locked: Shop) -> None:
    staging, production = locked.services.spec.stages
    freeze = GateSpec("freeze", {"deny": ["Mon-Sun"]})
    stages = (staging, dataclasses.replace(production, gates=(freeze,)))
    locked.services.spec = dataclasses.replace(locked.services.spec, stages=stages)
    with pytest.raises(Refused, match=r"lock: .*; freeze: ") as refused:
        take_turn(locked.services, exclusive, "again", "1m", lambda _: promote.promote(locked.services))
    assert not isinstance(refused.value, Locked)


def test_a_stage_that_somebody_else_holds_by_now_is_free_of_the_one_that_was_named(
    held: tuple[Shop, Delivery],
) -> None:
    shop, running = held
    assert free(shop.services, Occupied("x", stage="production", holder="another"), timedelta())
    assert not free(shop.services, Occupied("x", stage="production", holder=running.id), timedelta())
