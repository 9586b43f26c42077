"""A delivery that errored on its way into a stage, or was cut, and what people do before it is carried on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, Stage, StageSpec
from herodeploy.errors import Occupied, PlatformError, StoreError
from herodeploy.flows import deliver, holds, locks, mode, overrides, promote, rollback

Shop = Any


class Cut(BaseException):
    """The process is gone, as far as the flows can tell."""


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """In deployment mode."""
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    return shop


def errors_at_production(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object] | None = None, *, done: bool
) -> Any:
    """Deliver a change whose promotion meets a fault of the platform, after it was carried out or before.

    Parameters:
        act: what brings it there; a delivery of what is committed unless given.
    """
    promotions = shop.services.heroku.promotions

    def create(*arguments: Any) -> Any:
        if done:
            promotion = type(promotions).create(promotions, *arguments)
            while any(each.status == "pending" for each in promotions.targets(promotion.id)):
                shop.services.pause(shop.services.poll)
        raise PlatformError("HTTP 503")

    with monkeypatch.context() as patched:
        patched.setattr(promotions, "create", create)
        with pytest.raises(PlatformError):
            (act or shop.deliver)()
    errored = shop.services.store.open_deliveries(shop.services.pipeline().id)[-1]
    assert (errored.status, errored.at_stage) == (Status.ERRORED, "production")
    return errored


def now(shop: Shop, delivery: Any) -> Any:
    return shop.services.store.delivery(delivery.id)


def test_a_lock_that_was_set_meanwhile_keeps_it_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    errored = errors_at_production(shop, monkeypatch, done=False)
    lock = locks.lock(shop.services, "production", why="the sale")
    [waiting] = shop.resume()
    assert (waiting.status, waiting.reason) == (Status.WAITING, "production is locked by ann@example.com: the sale")
    assert shop.slug(shop.app("production")) is None

    locks.unlock(shop.services, lock.id)
    [delivered] = shop.resume()
    assert (delivered.id, delivered.status, delivered.attempt) == (errored.id, Status.DELIVERED, 2)


def test_gates_that_look_at_the_world_look_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(GateSpec("preflight"),)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    live = shop.app("production")
    errored = errors_at_production(shop, monkeypatch, done=False)
    shop.services.heroku._session.patch(f"/apps/{live}", {"maintenance": True})
    [waiting] = shop.resume()
    assert (waiting.id, waiting.status) == (errored.id, Status.WAITING)
    assert f"{live} is in maintenance mode" in waiting.reason
    assert shop.slug(live) is None


def test_of_two_that_errored_half_way_the_older_does_not_follow_the_newer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = shop.app("production")
    shop.deliver()
    shop.commit(index_dot_html="two\n")
    older = errors_at_production(shop, monkeypatch, done=True)
    shop.commit(index_dot_html="three\n")
    newer = errors_at_production(shop, monkeypatch, done=True)
    before = shop.versions(live)
    assert [each.status for each in shop.resume()] == [Status.SUPERSEDED, Status.DELIVERED]
    assert now(shop, older).reason == f"superseded by {newer.id} ({newer.short})"
    assert shop.versions(live) == before, "the newer was there already, and stayed"


def test_a_rollback_by_hand_meanwhile_is_not_undone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.deliver()
    shop.commit(index_dot_html="two\n")
    errored = errors_at_production(shop, monkeypatch, done=True)
    rollback.rollback(shop.services, "production", why="customers miss one")
    assert shop.slug(shop.app("production")) == first.slug_id
    [waiting] = shop.resume()
    assert waiting.status is Status.WAITING
    assert "herodeploy resume-auto production" in waiting.reason
    assert shop.slug(shop.app("production")) == first.slug_id
    assert shop.services.store.locks.hold(errored.pipeline_id, "production") is not None


def test_an_override_of_one_lock_is_none_of_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.deliver()
    shop.services.actor = "bob@example.com"
    lock = locks.lock(shop.services, "production", why="the sale")
    shop.services.actor = "ann@example.com"
    shop.commit(index_dot_html="two\n")
    waiting = shop.deliver()
    overrides.override(shop.services, "lock", reason="the sale is over")
    errors_at_production(shop, monkeypatch, lambda: shop.advance(waiting), done=False)
    locks.unlock(shop.services, lock.id)
    shop.services.actor = "cat@example.com"
    locks.lock(shop.services, "production", why="incident")
    [waiting] = shop.resume()
    assert (waiting.status, waiting.reason) == (Status.WAITING, "production is locked by cat@example.com: incident")
    assert shop.slug(shop.app("production")) == first.slug_id


def test_an_override_of_one_hold_is_none_of_the_next(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.deliver()
    shop.commit(index_dot_html="two\n")
    shop.deliver()
    rollback.rollback(shop.services, "production", why="two is bad")
    shop.commit(index_dot_html="three\n")
    waiting = shop.deliver()
    overrides.override(shop.services, "hold", reason="three mends it")
    errors_at_production(shop, monkeypatch, lambda: shop.advance(waiting), done=True)
    shop.services.actor = "bob@example.com"
    rollback.rollback(shop.services, "production", why="three is worse")
    assert [each.status for each in shop.resume()] == [Status.WAITING]
    assert shop.slug(shop.app("production")) == first.slug_id, "bob's rollback is not undone"


@pytest.mark.parametrize("way_in", ["approve", "resume-auto"])
def test_the_way_back_does_not_lead_to_what_a_person_rolled_back_from(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, way_in: str
) -> None:
    staging, production = shop.services.spec.stages
    stages = (staging, dataclasses.replace(production, on_failure="rollback"))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    live, first = shop.app("production"), shop.deliver()
    shop.commit(index_dot_html="two\n")
    shop.deliver()
    shop.commit(Procfile='web: test "$PLACE" != bad && exec python3 -m http.server "$PORT" --bind 127.0.0.1\n')
    errored = errors_at_production(shop, monkeypatch, done=False)
    rollback.rollback(shop.services, "production", why="two loses orders")
    shop.services.heroku.config_vars.update(live, {"PLACE": "bad"})
    if way_in == "approve":
        shop.resume()
        deliver.approve(shop.services, errored.id)
    else:
        holds.lift(shop.services, "production")
    assert shop.advance(now(shop, errored)).status is Status.FAILED
    assert shop.slug(live) == first.slug_id


def test_a_rollback_that_was_cut_is_over_once_a_delivery_has_come_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = shop.app("production")
    shop.deliver()
    oldest = shop.versions(live)[-1][0]
    one, _ = [shop.deliver(shop.commit(index_dot_html=f"{text}\n")) for text in ("one", "two")]
    shop.commit(index_dot_html="three\n")
    errored = errors_at_production(shop, monkeypatch, done=False)
    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.releases, "rollback", dies)
        with pytest.raises(Cut):
            rollback.rollback(shop.services, "production", f"v{oldest}")
    shop.resume()
    deliver.approve(shop.services, errored.id)
    assert shop.advance(now(shop, errored)).status is Status.DELIVERED
    rollback.rollback(shop.services, "production")
    assert shop.slug(live) == one.slug_id, "two was left by the rollback that was cut"


def test_a_newer_one_leaves_it_on_its_way_until_it_has_come_as_far(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    errored = errors_at_production(shop, monkeypatch, done=True)
    lock = locks.lock(shop.services, "production", why="the sale")
    shop.commit(index_dot_html="two\n")
    shop.services.actor = "bob@example.com"
    assert shop.deliver().status is Status.WAITING
    assert now(shop, errored).status is Status.ERRORED, "half-way into production"

    locks.unlock(shop.services, lock.id)
    newer = shop.deliver()
    assert newer.status is Status.DELIVERED
    assert now(shop, errored).status is Status.SUPERSEDED, "production has something newer"


def test_promoted_by_hand_it_is_delivered(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    errored = errors_at_production(shop, monkeypatch, done=False)
    promote.promote(shop.services)
    assert (now(shop, errored).status, now(shop, errored).reason) == (Status.DELIVERED, "promoted by hand")


def test_the_older_ones_are_superseded_though_the_process_dies_as_the_newer_passes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode.switch(shop.services, Mode.DELIVERY, None)
    older = shop.deliver()
    shop.commit(index_dot_html="two\n")
    dies_after(shop, monkeypatch, "deploy.succeeded")
    assert now(shop, older).status is Status.SUPERSEDED


def test_what_was_let_in_and_cut_comes_before_what_is_done_by_hand(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.deliver()
    shop.commit(index_dot_html="two\n")
    shop.deliver()
    shop.commit(index_dot_html="three\n")
    dies_after(shop, monkeypatch, "gates.passed", stage="production")
    for act in (lambda: rollback.rollback(shop.services, "production"), lambda: promote.promote(shop.services)):
        with pytest.raises(Occupied, match="is on its way into production"):
            act()
    assert [each.status for each in shop.resume()] == [Status.DELIVERED]
    rollback.rollback(shop.services, "production")


def test_what_was_cut_on_its_way_in_is_not_followed_by_an_older_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = errors_at_production(shop, monkeypatch, done=True)
    shop.commit(index_dot_html="two\n")
    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.promotions, "create", dies)
        with pytest.raises(Cut):
            shop.deliver()
    newer = shop.services.store.open_deliveries(older.pipeline_id)[-1]
    assert (newer.status, newer.at_stage) == (Status.RUNNING, "production")

    waiting = shop.advance(older)
    reason = f"{newer.id} ({newer.short}) is on its way into production"
    assert (waiting.status, waiting.reason) == (Status.WAITING, reason)
    assert [each.status for each in shop.resume()] == [Status.SUPERSEDED, Status.DELIVERED]
    assert shop.slug(shop.app("production")) == now(shop, newer).slug_id


def test_what_an_older_one_took_the_place_of_is_built_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = locks.lock(shop.services, "staging", why="the sale")
    shop.services.actor = "bob@example.com"
    older = shop.deliver()
    assert (older.status, older.at_stage) == (Status.WAITING, "staging")
    shop.commit(index_dot_html="two\n")
    shop.services.actor = "ann@example.com"
    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.dynos, "list", breaks)
        with pytest.raises(PlatformError):
            shop.deliver()
    newer = shop.services.store.open_deliveries(shop.services.pipeline().id)[-1]
    assert (newer.status, newer.at_stage) == (Status.ERRORED, "staging")

    locks.unlock(shop.services, lock.id)
    older = shop.advance(older)
    assert shop.slug(shop.app("staging")) == older.slug_id
    delivered = shop.advance(newer)
    assert (delivered.status, delivered.reason) == (Status.DELIVERED, None)
    assert shop.slug(shop.app("staging")) == shop.slug(shop.app("production")) == delivered.slug_id


def test_who_could_not_write_that_it_is_through_keeps_the_stage(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    store, pipeline_id = shop.services.store, shop.services.pipeline().id
    with monkeypatch.context() as patched:
        patched.setattr(store, "record_verified", is_locked)
        with pytest.raises(StoreError):
            shop.deliver()
    cut = store.open_deliveries(pipeline_id)[-1]
    assert (cut.status, store.occupant(pipeline_id, "staging")) == (Status.RUNNING, cut.id)
    assert [each.status for each in shop.resume()] == [Status.DELIVERED]
    assert [store.occupant(pipeline_id, each.name) for each in shop.services.spec.stages] == [None, None]


def breaks(*arguments: Any) -> Any:
    raise PlatformError("HTTP 503")


def dies(*arguments: Any) -> Any:
    raise Cut


def is_locked(*arguments: Any) -> Any:
    raise StoreError("the database is locked")


def dies_after(shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: str, stage: str | None = None) -> None:
    """Deliver, and die after that event was written."""
    store = shop.services.store

    def die_if(event: Any) -> None:
        if event is not None and event.kind == kind and stage in (None, event.stage):
            raise Cut

    def move(*arguments: Any, **changes: Any) -> Any:
        moved = type(store).move(store, *arguments, **changes)
        die_if(changes["event"])
        return moved

    def record(judged: Any) -> Any:
        recorded = type(store.judging).record(store.judging, judged)
        for each in judged:
            die_if(each.event)
        return recorded

    with monkeypatch.context() as patched:
        patched.setattr(store, "move", move)
        patched.setattr(store.judging, "record", record)
        with pytest.raises(Cut):
            shop.deliver()


def test_what_was_cut_before_a_stage_that_is_no_more_stops_nothing_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.promotions, "create", dies)
        with pytest.raises(Cut):
            shop.deliver()
    [older] = shop.services.store.open_deliveries(shop.services.pipeline().id)
    staging, production = shop.services.spec.stages
    stages = (staging, dataclasses.replace(production, name="live"))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    shop.commit(index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    told = f"{older.id} ({older.short}) is on its way into production, which is no stage any more"
    assert told in shop.told("warning")
    assert now(shop, older).status is Status.SUPERSEDED


def test_what_waits_before_production_is_not_superseded_by_what_has_only_passed_dev(make: Any) -> None:
    shop = make(applied=False)
    name = shop.services.spec.name
    stages = tuple(
        StageSpec(stage, kind, (f"{name}-{stage}",), ((f"{name}-{stage}",),))
        for stage, kind in (("dev", Stage.DEVELOPMENT), ("staging", Stage.STAGING), ("production", Stage.PRODUCTION))
    )
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    shop.apply()
    older = shop.deliver()
    assert (older.status, older.at_stage) == (Status.WAITING, "production")
    lock = locks.lock(shop.services, "staging", why="QA is at it")
    shop.services.actor = "bob@example.com"
    shop.commit(index_dot_html="two\n")
    newer = shop.deliver()
    assert (newer.status, newer.at_stage, now(shop, older).status) == (Status.WAITING, "staging", Status.WAITING)

    locks.unlock(shop.services, lock.id)
    shop.resume()
    assert (now(shop, newer).at_stage, now(shop, older).status) == ("production", Status.SUPERSEDED)
