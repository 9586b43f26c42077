"""A person who puts an older release into a stage stops what is automatic there, and sets it going again."""

from __future__ import annotations

from typing import Any

import pytest
from support.two_apps import two_apps

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import UsageError
from herodeploy.flows import deliver, holds, mode, promote, rollback
from herodeploy.flows.choose import Wish

Shop = Any


@pytest.fixture
def two(shop: Shop) -> Shop:
    """Two commits went to production, in deployment mode."""
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.deliver()
    shop.commit(index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    return shop


def hold(shop: Shop, stage: str = "production") -> Any:
    return shop.services.store.locks.hold(shop.services.pipeline().id, stage)


def third(shop: Shop) -> Any:
    shop.commit(index_dot_html="three\n")
    return shop.deliver()


def test_a_rollback_holds_the_stage_until_automation_is_resumed(two: Shop) -> None:
    rollback.rollback(two.services, "production", why="customers miss one")
    held = hold(two)
    version = two.first_version + 1
    assert (held.by, held.why) == ("ann@example.com", f"back to v{version}: customers miss one")
    assert hold(two, "staging") is None
    waiting = third(two)
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "production")
    assert "herodeploy resume-auto production" in waiting.reason
    assert two.resume()[0].status is Status.WAITING

    told = holds.lift(two.services, "production")
    assert told is not None
    assert told.startswith("automatic promotion into production goes on; ann@example.com had put an older release")
    assert holds.lift(two.services, "production") is None
    assert two.resume()[0].status is Status.DELIVERED
    assert two.kinds().count("hold.lifted") == 1
    with pytest.raises(UsageError, match="no stage 'prod'"):
        holds.lift(two.services, "prod")


def test_a_person_who_promotes_the_newest_lifts_it(two: Shop) -> None:
    rollback.rollback(two.services, "production")
    assert hold(two) is not None
    promote.promote(two.services)
    assert hold(two) is None
    assert third(two).status is Status.DELIVERED


def test_a_person_who_promotes_the_newest_app_by_app_lifts_it_with_the_last(make: Any) -> None:
    shop = two_apps(make)
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.deliver()
    shop.commit(index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    rollback.rollback(shop.services, "production")
    eu, us = shop.services.spec.stages[1].apps
    promote.promote(shop.services, wish=Wish(only=(eu,)))
    assert hold(shop) is not None
    promote.promote(shop.services, wish=Wish(only=(us,)))
    assert hold(shop) is None


def test_a_person_who_rolls_forward_to_the_newest_lifts_it(two: Shop) -> None:
    newest = two.versions(two.app("production"))[-1][0]
    rollback.rollback(two.services, "production")
    rollback.rollback(two.services, "production", f"v{newest}")
    assert hold(two) is None


def test_a_person_who_approves_the_newest_lifts_it(two: Shop) -> None:
    rollback.rollback(two.services, "production")
    waiting = third(two)
    delivered = two.advance(deliver.approve(two.services, waiting.id))
    assert delivered.status is Status.DELIVERED
    assert hold(two) is None


def test_promoting_what_is_older_than_what_is_there_holds_too(two: Shop) -> None:
    rollback.rollback(two.services, "staging", why="look at one")
    assert hold(two, "staging").why.endswith("look at one")
    promote.promote(two.services)
    held = hold(two)
    assert held.why.startswith("promoted ")
    assert two.slug(two.app("production")) == two.slug(two.app("staging"))
    waiting = third(two)
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "staging"), "staging is held as well"


def test_promoting_what_is_newer_and_not_the_newest_leaves_it_as_it_is(two: Shop) -> None:
    rollback.rollback(two.services, "production")
    held = hold(two)
    mode.switch(two.services, Mode.DELIVERY, None)
    third(two)
    rollback.rollback(two.services, "staging")
    promote.promote(two.services)
    assert two.slug(two.app("production")) == two.slug(two.app("staging"))
    assert hold(two) == held
