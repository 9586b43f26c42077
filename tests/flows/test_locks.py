"""Locks that people set and take away, and what they do to deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import UsageError
from herodeploy.flows import locks, mode

Shop = Any


def as_(shop: Shop, actor: str) -> Any:
    """The same shop's services for somebody else."""
    shop.services.actor = actor
    return shop.services


@pytest.fixture
def locked(shop: Shop) -> Shop:
    """Production is locked by bob, the pipeline is in deployment mode."""
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    locks.lock(as_(shop, "bob@example.com"), "production", why="the sale")
    as_(shop, "ann@example.com")
    return shop


def test_a_delivery_waits_at_a_lock_and_goes_on_when_somebody_else_takes_it_away(locked: Shop) -> None:
    waiting = locked.deliver()
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "production")
    assert waiting.reason == "production is locked by bob@example.com: the sale"
    [gone] = locks.unlock(locked.services, "production", why="the sale is over")
    assert gone.by == "bob@example.com"
    [delivered] = locked.resume()
    assert delivered.status is Status.DELIVERED
    events = {event.kind: event for event in locked.services.store.events(delivered.pipeline_id)}
    assert (events["lock.set"].actor, events["lock.released"].actor) == ("bob@example.com", "ann@example.com")
    text = "unlocked production, the lock of bob@example.com (the sale): the sale is over"
    assert events["lock.released"].text == text


def test_a_lock_that_ends_at_a_time_of_another_zone_is_kept_in_utc(locked: Shop) -> None:
    ends = datetime(2099, 7, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    made = locks.lock(locked.services, "production", why="lunch", until=ends)
    assert locks.lock_json(made)["until"] == "2099-07-01T12:00:00+00:00"
    newest = max(locked.services.store.events(locked.services.pipeline().id), key=lambda event: event.at)
    assert newest.text == "locked production until 2099-07-01 12:00 UTC: lunch"


def test_the_owner_passes_and_a_lock_that_ends_is_looked_at_again_then(locked: Shop) -> None:
    [lock] = locks.in_force(locked.services, "production")
    locks.unlock(locked.services, lock.id[:5])
    ends = locked.services.clock() + timedelta(hours=2)
    locks.lock(as_(locked, "bob@example.com"), why="the sale", until=ends)
    as_(locked, "ann@example.com")
    waiting = locked.deliver()
    assert (waiting.status, waiting.recheck_at) == (Status.WAITING, ends)
    as_(locked, "bob@example.com")
    assert locked.advance(waiting).status is Status.DELIVERED


def test_a_warning_keeps_nobody_out_and_is_told(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    locks.lock(as_(shop, "bob@example.com"), scope="pipeline", why="be gentle", warning=True)
    as_(shop, "ann@example.com")
    assert shop.deliver().status is Status.DELIVERED
    assert shop.told("warning") == ["bob@example.com warns of the pipeline: be gentle"] * 2


def test_what_unlock_means(shop: Shop) -> None:
    services = shop.services
    with pytest.raises(UsageError, match="production is not locked"):
        locks.unlock(services)
    wide = locks.lock(services, scope="everything", why="moving")
    with pytest.raises(UsageError, match="production itself is not locked; everything is locked by ann") as caught:
        locks.unlock(services, "production")
    assert caught.value.hint == f"herodeploy unlock {wide.id}"
    assert [each.id for each in locks.unlock(services, scope="everything")] == [wide.id]

    for who in ("bob", "cat"):
        locks.lock(as_(shop, who), "staging", why=f"{who} says so")
    as_(shop, "ann@example.com")
    with pytest.raises(UsageError, match=r"several locks: \w{8} by bob; \w{8} by cat"):
        locks.unlock(services, "staging")
    as_(shop, "CAT")
    assert [each.by for each in locks.unlock(services, "staging")] == ["cat"], "one's own is meant"
    assert [each.by for each in locks.in_force(services)] == ["bob"]
    with pytest.raises(UsageError, match="no stage and no lock is called 'prod'"):
        locks.unlock(services, "prod")
    with pytest.raises(UsageError, match="two places"):
        locks.unlock(services, "staging", scope="pipeline")


def test_what_cannot_be_locked(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no stage 'prod'"):
        locks.lock(shop.services, "prod", why="x")
    with pytest.raises(UsageError, match="wants a reason"):
        locks.lock(shop.services, why=" ")
    with pytest.raises(UsageError, match="would have ended already"):
        locks.lock(shop.services, why="x", until=shop.services.clock())
    assert locks.in_force(shop.services) == []


def test_who_locks_after_they_asked_keeps_out_what_they_asked_for(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    first = shop.deliver()
    shop.commit(index_dot_html="two\n")
    report, left = shop.services.report, [True]

    def hear(note: Any) -> None:
        report(note)
        if note.text.startswith("building") and left:
            left.pop()
            locks.lock(shop.services, "production", why="wait, there is a bug")

    shop.services.report = hear
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "production")
    assert waiting.reason == "production is locked by ann@example.com: wait, there is a bug"
    assert shop.slug(shop.app("production")) == first.slug_id
    assert shop.advance(waiting).status is Status.DELIVERED, "they ask again, knowing of it"
