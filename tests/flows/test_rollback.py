"""What a rollback by hand goes back from, and what stays as it is."""

from __future__ import annotations

from typing import Any

import pytest
from support.two_apps import two_apps

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import PlatformError, UsageError
from herodeploy.flows import deliver, locks, mode, overrides, promote, rollback
from herodeploy.flows.choose import Wish

Shop = Any
REASON = "not verified in staging, or taken back there since"
SLOW = 'web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\nrelease: sleep "${SLOW:-0}"\n'


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """In deployment mode."""
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    return shop


@pytest.fixture
def two(make: Any) -> Shop:
    """Two apps in production, in deployment mode; the second one has a release more than the first."""
    shop = two_apps(make)
    shop.apply()
    shop.services.heroku.config_vars.update(shop.app("production", 1), {"PLACE": "us"})
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    return shop


def of(shop: Shop, text: str, **files: str) -> Delivery:
    shop.commit(index_dot_html=f"{text}\n", **files)
    delivered = shop.deliver()
    assert isinstance(delivered, Delivery)
    return delivered


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_under_way_counts_as_what_is_gone_back_from(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    of(shop, "zero")
    one, live = of(shop, "one"), shop.app("production")
    shop.services.heroku.config_vars.update(live, {"SLOW": "2"})
    if by_hand:
        mode.switch(shop.services, Mode.DELIVERY, None)
        of(shop, "two", Procfile=SLOW)
    promotions = shop.services.heroku.promotions

    def create(*arguments: Any) -> Any:
        type(promotions).create(promotions, *arguments)
        raise PlatformError("connection reset")

    with monkeypatch.context() as patched:
        patched.setattr(promotions, "create", create)
        with pytest.raises(PlatformError):
            promote.promote(shop.services) if by_hand else of(shop, "two", Procfile=SLOW)
    rollback.rollback(shop.services, "production", why="a mistake")
    assert shop.slug(live) == one.slug_id


def test_a_promotion_that_was_cut_under_way_is_not_done_again_by_the_delivery(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mode.switch(shop.services, Mode.DELIVERY, None)
    live = shop.app("production")
    shop.services.heroku.config_vars.update(live, {"SLOW": "2"})
    waiting = of(shop, "one", Procfile=SLOW)
    promotions = shop.services.heroku.promotions

    def create(*arguments: Any) -> Any:
        type(promotions).create(promotions, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(promotions, "create", create)
        with pytest.raises(KeyboardInterrupt):
            promote.promote(shop.services)
    other = shop.like()
    deliver.approve(other.services, waiting.id)
    assert other.advance(waiting).status is Status.DELIVERED
    made = [each for each in other.services.heroku.releases.list(live) if each.slug_id == waiting.slug_id]
    assert len(made) == 1


def test_the_rollback_of_a_canary_leaves_the_other_app_as_it_is(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    of(two, "one")
    second = of(two, "two")
    mode.switch(two.services, Mode.DELIVERY, None)
    of(two, "three")
    promote.promote(two.services, wish=Wish(only=(eu,)))
    before = two.versions(us)
    rollback.rollback(two.services, "production", why="the canary is bad")
    assert two.slug(eu) == second.slug_id
    assert two.versions(us) == before


def test_a_version_that_is_another_artifact_in_each_app_is_refused(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    first, second = [of(two, text) for text in ("one", "two", "three")][:2]
    version = two.versions(us)[-2][0]
    before = two.versions(eu), two.versions(us)
    with pytest.raises(UsageError, match=f"v{version} is not one artifact: ") as caught:
        rollback.rollback(two.services, "production", f"v{version}")
    assert caught.value.hint is not None
    assert (two.versions(eu), two.versions(us)) == before
    rollback.rollback(two.services, "production", first.commit[:8])
    assert two.slug(eu) == two.slug(us) == first.slug_id != second.slug_id


def test_what_was_rolled_back_in_staging_does_not_go_on_by_itself(shop: Shop) -> None:
    first = of(shop, "one")
    shop.services.actor = "bob@example.com"
    lock = locks.lock(shop.services, "production", why="the sale")
    shop.services.actor = "ann@example.com"
    waiting = of(shop, "two")
    rollback.rollback(shop.services, "staging", why="two loses orders")
    locks.unlock(shop.services, lock.id)
    [after] = shop.resume()
    assert (after.id, after.status, after.reason) == (waiting.id, Status.WAITING, REASON)
    assert shop.slug(shop.app("production")) == first.slug_id

    overrides.override(shop.services, "upstream", reason="it loses none")
    assert shop.advance(after).status is Status.DELIVERED


def test_a_rollback_that_the_platform_refuses_leaves_what_is_there_verified(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(shop, "one")
    second = of(shop, "two")

    def breaks(*arguments: Any) -> Any:
        raise PlatformError("HTTP 503")

    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.releases, "rollback", breaks)
        with pytest.raises(PlatformError):
            rollback.rollback(shop.services, "production")
    store, live = shop.services.store, shop.app("production")
    assert store.is_verified(second.pipeline_id, "production", second.slug_id or "", [live])
    rollback.rollback(shop.services, "production")
    assert not store.is_verified(second.pipeline_id, "production", second.slug_id or "", [live])
