"""A lock that is set while something is on its way into a stage keeps out what has not moved yet."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from support.two_apps import two_apps, two_in_the_first
from support.two_waves import Clock, slugs, two_waves

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import Locked, Refused, UsageError
from herodeploy.flows import deliver, locks, mode, promote, rollback
from herodeploy.flows.choose import Wish

Shop = Any
BOBS = "production is locked by bob@example.com: orders are lost"


class Cut(BaseException):
    """The process is gone, as far as the flows can tell."""


@pytest.fixture
def two(make: Any) -> Shop:
    """Two waves without a soak in between, in deployment mode, with one release delivered."""
    shop = two_apps(make, waves=2)
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.first = shop.deliver()
    shop.commit(index_dot_html="two\n")
    return shop


def lock(
    shop: Shop, by: str, stage: str = "production", *, warning: bool = False, behind: timedelta = timedelta()
) -> Any:
    """Somebody, in another process, locks a stage; on a machine whose clock may be behind."""
    clock = shop.services.clock
    somebody = dataclasses.replace(shop.services, actor=by, clock=lambda: clock() - behind)
    shop.seen_by.append(somebody)
    return locks.lock(somebody, stage, why="orders are lost", warning=warning)


@pytest.fixture
def locks_meanwhile(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has somebody lock production as soon as the platform has begun to promote."""

    def arrange(shop: Shop, by: str = "bob@example.com", **more: Any) -> None:
        promotions = shop.services.heroku.promotions

        def create(*arguments: Any) -> Any:
            monkeypatch.setattr(promotions, "create", lambda *more: type(promotions).create(promotions, *more))
            promotion = type(promotions).create(promotions, *arguments)
            lock(shop, by, **more)
            return promotion

        monkeypatch.setattr(promotions, "create", create)

    return arrange


def unlock(shop: Shop) -> None:
    for each in locks.in_force(shop.services):
        locks.unlock(shop.services, each.id)


def now(shop: Shop, delivery: Delivery) -> Delivery:
    found = shop.services.store.delivery(delivery.id)
    assert isinstance(found, Delivery)
    return found


@pytest.mark.parametrize("durable", [True, False])
def test_the_next_wave_of_a_delivery_waits_until_it_is_unlocked(
    two: Shop, locks_meanwhile: Any, *, durable: bool
) -> None:
    two.durable = durable
    locks_meanwhile(two)
    halted = two.deliver()
    assert (halted.status, halted.reason) == (Status.WAITING, BOBS)
    assert slugs(two) == [halted.slug_id, two.first.slug_id]
    eu = two.services.spec.stages[1].apps[0]
    versions = two.versions(eu)

    assert two.resume()[0].status is Status.WAITING
    with pytest.raises(UsageError, match=f"half-way into production: {eu} runs {halted.short} already"):
        deliver.reject(two.services, halted.id)
    unlock(two)
    assert two.advance(halted).status is Status.DELIVERED
    assert slugs(two) == [halted.slug_id] * 2
    assert two.versions(eu) == versions, "not promoted to it again"
    texts = [each.text for each in two.services.store.events(halted.pipeline_id, halted.id)]
    assert f"{halted.short} asks the gates of production again: {BOBS}" in texts


def test_a_promotion_by_hand_stops_before_the_next_wave_and_goes_on_with_the_same_command(
    two: Shop, locks_meanwhile: Any
) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    waiting = two.deliver()
    locks_meanwhile(two)
    with pytest.raises(Refused) as halted:
        promote.promote(two.services)
    assert halted.value.message == BOBS
    assert halted.value.hint == (
        "it goes on with the same command once that is unlocked: herodeploy promote production; "
        "or go back: herodeploy rollback production"
    )
    assert slugs(two) == [waiting.slug_id, two.first.slug_id]
    assert two.kinds()[-1] == "promotion.halted"
    with pytest.raises(Refused, match="lock: production is locked by bob"):
        promote.promote(two.services)

    def carries_on() -> int:
        return sum("carrying on the promotion of" in told for told in two.told("info"))

    unlock(two)
    versions = two.versions(two.services.spec.stages[1].apps[0])
    promote.plan(two.services, Wish())
    assert carries_on() == 0, "nothing is carried on by a question"
    promote.promote(two.services)
    assert carries_on() == 1
    assert slugs(two) == [waiting.slug_id] * 2
    assert two.versions(two.services.spec.stages[1].apps[0]) == versions
    assert now(two, waiting).status is Status.DELIVERED


def test_what_was_stopped_by_hand_can_be_rolled_back(two: Shop, locks_meanwhile: Any) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    two.deliver()
    us = two.services.spec.stages[1].apps[1]
    versions = two.versions(us)
    locks_meanwhile(two)
    with pytest.raises(Refused, match="is locked"):
        promote.promote(two.services)
    rollback.rollback(two.services, "production")
    assert slugs(two) == [two.first.slug_id] * 2
    assert two.versions(us) == versions, "the wave that it has not reached is left alone"


def test_an_override_goes_past_the_locks_of_before_and_not_past_those_of_after(two: Shop, locks_meanwhile: Any) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    waiting = two.deliver()
    lock(two, "cat@example.com")
    locks_meanwhile(two)
    with pytest.raises(Refused) as halted:
        promote.promote(two.services, override="cat agrees")
    assert halted.value.message == BOBS
    promote.promote(two.services, override="bob agrees, too")
    assert slugs(two) == [waiting.slug_id] * 2


def test_a_lock_of_somebody_whose_clock_is_behind_stops_it_as_well(two: Shop, locks_meanwhile: Any) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    waiting = two.deliver()
    locks_meanwhile(two, behind=timedelta(hours=1))
    with pytest.raises(Locked):
        promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id, two.first.slug_id]


def test_where_nothing_has_moved_yet_there_is_no_way_back(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    two.deliver()
    report, told = two.services.report, []

    def locks_then(note: Any) -> None:
        report(note)
        if note.kind == "leg" and not told:
            told.append(note.text)
            lock(two, "bob@example.com")

    monkeypatch.setattr(two.services, "report", locks_then)
    with pytest.raises(Locked) as halted:
        promote.promote(two.services)
    assert halted.value.hint == "it goes on with the same command once that is unlocked: herodeploy promote production"
    assert slugs(two) == [two.first.slug_id] * 2


@pytest.mark.parametrize(("by", "warning"), [("ann@example.com", False), ("bob@example.com", True)])
def test_their_own_lock_and_a_warning_stop_nothing_by_hand(
    two: Shop, locks_meanwhile: Any, by: str, *, warning: bool
) -> None:
    mode.switch(two.services, Mode.DELIVERY, None)
    waiting = two.deliver()
    locks_meanwhile(two, by, warning=warning)
    promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id] * 2


def test_a_promotion_by_hand_whose_wave_soaks_stops_before_the_next(make: Any) -> None:
    clock = Clock()
    two = two_waves(make, clock)
    mode.switch(two.services, Mode.DELIVERY, None)
    two.commit(index_dot_html="two\n")
    waiting = two.deliver()

    def then() -> None:
        clock.then = lambda: None
        lock(two, "bob@example.com")

    clock.then = then
    with pytest.raises(Refused) as halted:
        promote.promote(two.services)
    assert halted.value.message == BOBS
    assert slugs(two) == [waiting.slug_id, two.first.slug_id]
    unlock(two)
    clock.pauses.clear()
    promote.promote(two.services, wish=Wish("production"))
    assert slugs(two) == [waiting.slug_id] * 2
    assert sum(clock.pauses) < 60, "it has soaked"


@pytest.mark.parametrize(("stage", "kind"), [("staging", "builds"), ("production", "promotions")])
def test_what_was_let_in_and_cut_before_anything_moved_heeds_the_lock_that_was_set_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, stage: str, kind: str
) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.durable = True
    calls = getattr(shop.services.heroku, kind)

    def dies(*_: Any, **__: Any) -> Any:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(calls, "create", dies)
        with pytest.raises(Cut):
            shop.deliver()
    [cut] = shop.services.store.open_deliveries(shop.services.pipeline().id)
    assert (cut.status, cut.at_stage) == (Status.RUNNING, stage)

    lock(shop, "bob@example.com", stage)
    [waiting] = shop.resume()
    reason = f"{stage} is locked by bob@example.com: orders are lost"
    assert (waiting.status, waiting.reason) == (Status.WAITING, reason)
    versions = shop.versions(shop.app(stage))
    assert shop.slug(shop.app(stage)) is None
    unlock(shop)
    assert shop.advance(waiting).status is Status.DELIVERED
    assert len(shop.versions(shop.app(stage))) == len(versions) + 1


@pytest.mark.parametrize("durable", [True, False])
def test_the_other_apps_of_the_first_stage_wait_while_the_build_goes_on(
    make: Any, monkeypatch: pytest.MonkeyPatch, *, durable: bool
) -> None:
    shop = two_in_the_first(make)
    shop.apply()
    shop.durable = durable
    apps = shop.services.spec.stages[0].apps
    report = shop.services.report

    def locks_then(note: Any) -> None:
        report(note)
        if note.text.startswith("building "):
            monkeypatch.setattr(shop.services, "report", report)
            lock(shop, "bob@example.com", "staging")

    monkeypatch.setattr(shop.services, "report", locks_then)
    halted = shop.deliver()
    assert (halted.status, halted.at_stage) == (Status.WAITING, "staging")
    assert halted.reason == "staging is locked by bob@example.com: orders are lost"
    slug_id = shop.slug(apps[0])
    assert [shop.slug(app) for app in apps] == [slug_id, None]

    unlock(shop)
    assert shop.advance(halted).at_stage == "production"
    assert [shop.slug(app) for app in apps] == [slug_id] * 2
    assert len(shop.services.heroku.builds.list(apps[0])) == 1
