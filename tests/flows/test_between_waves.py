"""While a wave soaks the pipeline is free: a worker has no turn, others work, and a person can roll back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
from support.two_waves import Clock, Shop, slugs, two_waves

from herodeploy.app import exclusive
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer
from herodeploy.domain.mode import Mode
from herodeploy.errors import Occupied, PlatformError
from herodeploy.flows import attend, deliver, holds, locks, mode, overrides, promote, rollback, work
from herodeploy.flows.choose import Wish
from herodeploy.flows.targets import targets
from herodeploy.flows.why import why


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def two(make: Any, clock: Clock) -> Shop:
    return two_waves(make, clock)


def now(shop: Shop, delivery: Delivery) -> Delivery:
    found = shop.services.store.delivery(delivery.id)
    assert isinstance(found, Delivery)
    return found


def look(shop: Shop) -> float:
    return work.look(shop.services, shop.engine)


def soaking(shop: Shop) -> Delivery:
    """A second change whose first wave soaks, as a worker leaves it."""
    shop.commit(index_dot_html="two\n")
    begun = deliver.start_delivery(shop.services, shop.services.repo.head())
    look(shop)
    return now(shop, begun)


def test_a_worker_gives_its_turn_back_and_looks_now_and_then(two: Shop, clock: Clock) -> None:
    delivery = soaking(two)
    assert (delivery.status, delivery.at_stage) == (Status.RUNNING, "production")
    assert slugs(two) == [delivery.slug_id, two.first.slug_id]
    assert not clock.pauses, "nothing has waited"
    with exclusive(two.services):
        left = look(two)
    assert 0 < left <= 30, "no turn was wanted"
    looks = 0
    while now(two, delivery).status is Status.RUNNING:
        clock.pass_(look(two))
        looks += 1
    assert now(two, delivery).status is Status.DELIVERED
    assert slugs(two) == [delivery.slug_id] * 2
    assert looks == pytest.approx(20, abs=1)
    assert [each for each in two.told("wait") if "soaks until" in each] == [delivery.reason], "told once"


def test_a_rollback_by_hand_ends_what_soaks_and_leaves_the_other_apps_alone(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    delivery, before = soaking(two), two.versions(us)
    two.services.actor = "bob@example.com"
    view = rollback.rollback(two.services, "production", why="customers miss one")
    assert [each.app for each in view.apps] == [eu]
    assert slugs(two) == [two.first.slug_id] * 2
    assert two.versions(us) == before
    ended = now(two, delivery)
    assert (ended.status, ended.recheck_at) == (Status.FAILED, None)
    assert ended.reason == "bob@example.com rolled production back while a wave soaked: customers miss one"
    assert two.kinds(delivery)[-1] == "delivery.failed"
    assert {target.app: target.status for target in targets(two.services, "production")}[us] == "skipped"
    assert two.services.store.occupant(delivery.pipeline_id, "production") is None
    assert two.services.store.locks.hold(delivery.pipeline_id, "production") is not None
    assert look(two) == work.LONGEST
    assert slugs(two) == [two.first.slug_id] * 2


@pytest.mark.parametrize("carried_on_by", ["rollback", "worker", "resume"])
def test_a_rollback_that_dies_before_it_has_ended_what_soaks_wins_nevertheless(
    two: Shop, monkeypatch: pytest.MonkeyPatch, carried_on_by: str
) -> None:
    delivery = soaking(two)
    store = two.services.store

    class Cut(BaseException):
        pass

    def move(*arguments: Any, **changes: Any) -> Any:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(store, "move", move)
        with pytest.raises(Cut):
            rollback.rollback(two.services, "production")
    assert now(two, delivery).status is Status.RUNNING
    if carried_on_by == "worker":
        two.services.clock = lambda ahead=two.services.clock: ahead() + timedelta(minutes=20)
        look(two)
    elif carried_on_by == "resume":
        two.resume()
    rollback.rollback(two.services, "production")
    assert now(two, delivery).status is Status.FAILED
    assert slugs(two) == [two.first.slug_id] * 2, "no app went further back than one release"


def test_with_a_commit_named_the_apps_go_there_that_do_not_run_it(two: Shop) -> None:
    two.commit(index_dot_html="one and a half\n")
    second = two.deliver()
    assert second.status is Status.DELIVERED
    delivery = soaking(two)
    rollback.rollback(two.services, "production", two.first.commit[:10])
    assert slugs(two) == [two.first.slug_id] * 2, "both ran something newer"
    assert now(two, delivery).status is Status.FAILED

    holds.lift(two.services, "production")
    two.commit(index_dot_html="three\n")
    begun = deliver.start_delivery(two.services, two.services.repo.head())
    look(two)
    assert slugs(two) == [now(two, begun).slug_id, two.first.slug_id]
    view = rollback.rollback(two.services, "production", two.first.commit[:10])
    assert [each.app for each in view.apps] == [two.app("production")]
    assert slugs(two) == [two.first.slug_id] * 2


def test_the_command_in_front_of_it_sees_the_rollback_and_ends(two: Shop, clock: Clock) -> None:
    two.commit(index_dot_html="two\n")

    def roll_back() -> None:
        clock.then = lambda: None
        rollback.rollback(two.services, "production")

    clock.then = roll_back
    failed = two.deliver()
    assert failed.status is Status.FAILED
    assert "rolled production back" in failed.reason
    assert sum(clock.pauses) < 5


def test_who_is_in_front_of_it_waits_while_somebody_else_has_the_turn(two: Shop, clock: Clock) -> None:
    delivery, asked = soaking(two), []

    @contextmanager
    def turn() -> Any:
        asked.append(len(clock.pauses))
        with exclusive(two.services) if len(asked) < 3 else nullcontext(), two.engine() as engine:
            yield engine

    assert attend.stay(two.services, turn, delivery).status is Status.DELIVERED
    assert [asked[1] - asked[0], asked[2] - asked[1]] == [1, 1], "it asks once a second"


def test_a_newer_one_waits_before_the_stage_until_the_older_has_left_it(two: Shop, clock: Clock) -> None:
    older = soaking(two)
    two.commit(index_dot_html="three\n")
    begun = deliver.start_delivery(two.services, two.services.repo.head())
    look(two)
    newer = now(two, begun)
    assert (newer.status, newer.at_stage) == (Status.WAITING, "production")
    assert newer.reason == f"{older.id} ({older.short}) is on its way into production: {older.reason}"
    told = why(two.services, newer.id)
    assert [(each.name, each.answer) for each in told.verdicts if not each.passes] == [("stage", "WAIT")]
    with pytest.raises(Exception, match="no gate 'stage'"):
        overrides.override(two.services, "stage", reason="now", delivery_id=newer.id)
    assert now(two, older).status is Status.RUNNING
    while now(two, newer).status is Status.WAITING:
        clock.pass_(look(two))
    assert now(two, older).status is Status.DELIVERED
    assert slugs(two)[0] == newer.slug_id


def test_a_person_who_delivers_meanwhile_sees_both_through(two: Shop) -> None:
    older = soaking(two)
    two.commit(index_dot_html="three\n")
    newer = two.deliver()
    assert (now(two, older).status, newer.status) == (Status.DELIVERED, Status.DELIVERED)
    assert slugs(two) == [newer.slug_id] * 2


def test_what_is_promoted_by_hand_is_told_to_let_it_finish_or_roll_back(two: Shop) -> None:
    soaking(two)
    two.services.actor = "bob@example.com"
    with pytest.raises(Occupied, match="is on its way into production") as caught:
        promote.promote(two.services)
    assert caught.value.hint == "let it finish first: herodeploy resume, or end it: herodeploy rollback production"


def test_a_switch_of_the_mode_meanwhile_lets_it_finish(two: Shop, clock: Clock) -> None:
    delivery = soaking(two)
    mode.switch(two.services, mode.Mode.DELIVERY, None)
    clock.pass_(11 * 60)
    look(two)
    assert now(two, delivery).status is Status.DELIVERED


def test_a_lock_that_is_set_while_a_wave_soaks_keeps_the_next_wave_out(two: Shop, clock: Clock) -> None:
    delivery, ann = soaking(two), two.services.actor
    two.services.actor = "bob@example.com"
    made = locks.lock(two.services, "production", why="the canary loses orders")
    two.services.actor = ann
    clock.pass_(11 * 60)
    assert look(two) == work.LONGEST
    halted = now(two, delivery)
    assert (halted.status, halted.reason) == (
        Status.WAITING,
        "production is locked by bob@example.com: the canary loses orders",
    )
    assert slugs(two) == [delivery.slug_id, two.first.slug_id]
    assert [each.name for each in why(two.services, delivery.id).verdicts if each.answer is Answer.WAIT] == ["lock"]

    two.commit(index_dot_html="three\n")
    newer = deliver.start_delivery(two.services, two.services.repo.head())
    look(two)
    assert now(two, delivery).status is Status.WAITING, "half-way in, it is not superseded"
    locks.unlock(two.services, made.id)
    versions = two.versions(two.services.spec.stages[1].apps[0])
    look(two)
    assert now(two, delivery).status is Status.DELIVERED
    assert two.versions(two.services.spec.stages[1].apps[0])[: len(versions)] == versions, "not promoted to it again"
    assert now(two, newer).at_stage == "production"


def test_what_a_lock_halted_and_a_person_rolled_back_begins_anew_once_it_is_let_in(two: Shop, clock: Clock) -> None:
    two.durable = True
    delivery = soaking(two)
    two.services.actor = "bob@example.com"
    made = locks.lock(two.services, "production", why="the canary loses orders")
    clock.pass_(11 * 60)
    look(two)
    rollback.rollback(two.services, "production", why="it does")
    assert slugs(two) == [two.first.slug_id] * 2
    locks.unlock(two.services, made.id)
    deliver.approve(two.services, delivery.id)
    assert two.advance(now(two, delivery)).status is Status.DELIVERED
    assert slugs(two) == [delivery.slug_id] * 2


def test_who_stays_and_locks_meanwhile_keeps_out_what_they_stay_for(two: Shop, clock: Clock) -> None:
    first, us = soaking(two), two.services.spec.stages[1].apps[1]
    ends = two.services.clock() + timedelta(minutes=10) - timedelta(seconds=8)

    def lock() -> None:
        if two.services.clock() >= ends:
            clock.then = lambda: None
            locks.lock(two.services, "production", why="an incident")

    clock.then = lock
    two.commit(index_dot_html="three\n")
    second = two.deliver()
    assert (now(two, first).status, second.status) == (Status.WAITING, Status.WAITING)
    assert two.slug(us) == two.first.slug_id


def test_after_a_way_back_by_promotion_the_first_wave_comes_first_again(
    two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = two.versions(two.app("staging"))[-1][0]
    two.commit(index_dot_html="two\n")
    errored = errs(two, monkeypatch, two.deliver, after=1)
    assert slugs(two) == [errored.slug_id, two.first.slug_id]
    promote.promote(two.services, wish=Wish(release=f"v{before}"))
    assert slugs(two) == [two.first.slug_id] * 2

    two.resume()
    deliver.approve(two.services, errored.id)
    errs(two, monkeypatch, lambda: two.advance(now(two, errored)), after=0)
    assert two.advance(now(two, errored)).status is Status.DELIVERED
    assert slugs(two) == [errored.slug_id] * 2


def test_a_promotion_by_hand_whose_waves_were_edited_meanwhile_reaches_every_app(two: Shop, clock: Clock) -> None:
    eu, us = two.services.spec.stages[1].apps
    mode.switch(two.services, Mode.DELIVERY, None)
    two.commit(index_dot_html="two\n")
    waiting = two.deliver()

    class Cut(BaseException):
        pass

    def cut() -> None:
        clock.then = lambda: None
        raise Cut

    clock.then = cut
    with pytest.raises(Cut):
        promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id, two.first.slug_id]
    staging, production = two.services.spec.stages
    stages = (staging, dataclasses.replace(production, waves=((us,), (eu,))))
    two.services.spec = dataclasses.replace(two.services.spec, stages=stages)
    promote.promote(two.services)
    assert slugs(two) == [waiting.slug_id] * 2


def errs(shop: Shop, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, after: int) -> Delivery:
    """Let the platform take so many promotions, and err at the next one."""
    promotions, left = shop.services.heroku.promotions, [True] * after

    def create(*arguments: Any) -> Any:
        if not left:
            raise PlatformError("HTTP 503")
        left.pop()
        return type(promotions).create(promotions, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(promotions, "create", create)
        with pytest.raises(PlatformError):
            act()
    [errored] = shop.services.store.open_deliveries(shop.services.pipeline().id)
    assert (errored.status, errored.at_stage) == (Status.ERRORED, "production")
    return now(shop, errored)
