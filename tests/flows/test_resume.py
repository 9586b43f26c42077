"""Whatever is cut is carried on, and acts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import PlatformUnreachable
from herodeploy.flows import mode

Shop = Any


@pytest.fixture
def shop(make: Callable[..., Any]) -> Shop:
    """A shop on the engine that survives."""
    shop = make()
    shop.durable = True
    return shop


class Cut(BaseException):
    """The process is gone, as far as the flows can tell."""


class Cutting:
    """Passes everything through to a resource family, but is cut after the first call of one method."""

    def __init__(self, family: Any, method: str) -> None:
        self._family = family
        self._method = method
        self.cut = False

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._family, name)
        if name != self._method or self.cut:
            return found

        def act(*arguments: Any, **options: Any) -> Any:
            found(*arguments, **options)
            self.cut = True
            raise Cut

        return act


CUTS = [
    ("builds", "create"),
    ("releases", "get"),
    ("promotions", "create"),
    ("dynos", "list"),
]


@pytest.mark.parametrize(("family", "method"), CUTS, ids=[".".join(cut) for cut in CUTS])
def test_cut_after_any_act_it_ends_as_if_nothing_had_been(shop: Shop, family: str, method: str) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    setattr(shop.services.heroku, family, Cutting(getattr(shop.services.heroku, family), method))
    with pytest.raises(Cut):
        shop.deliver()

    after = shop.like()
    [ended] = after.resume()

    assert ended.status is Status.DELIVERED
    assert len(after.services.heroku.builds.list(after.app("staging"))) == 1
    for stage in ("staging", "production"):
        versions = after.versions(after.app(stage))
        assert versions[-1][0] == after.first_version + 1, "one release more"
        assert after.services.store.occupant(ended.pipeline_id, stage) is None
    after.services.close()


def test_the_next_deliver_carries_on_first(shop: Shop) -> None:
    heroku = shop.services.heroku
    heroku.builds = Cutting(heroku.builds, "create")  # type: ignore[assignment]
    with pytest.raises(Cut):
        shop.deliver()
    after = shop.like()
    after.commit(index_dot_html="two\n")
    newer = after.deliver()
    statuses = {each.id: each.status for each in after.services.store.deliveries(newer.pipeline_id)}
    assert list(statuses.values()) == [Status.WAITING, Status.SUPERSEDED]
    after.services.close()


def test_a_platform_that_goes_away_leaves_it_errored_and_resumable(own_shop: Callable[..., Any]) -> None:
    platform, shop = own_shop()
    shop.durable = True
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    real, store = shop.services.heroku.promotions, shop.services.store

    class Stopping:
        def create(self, *arguments: Any) -> Any:
            platform.stop()
            return real.create(*arguments)

    shop.services.heroku.promotions = Stopping()  # type: ignore[assignment]
    with pytest.raises(PlatformUnreachable):
        shop.deliver()
    [errored] = store.open_deliveries(shop.services.pipeline().id)
    assert (errored.status, errored.at_stage, errored.attempt) == (Status.ERRORED, "production", 1)

    platform.start()
    after = shop.like()
    [delivered] = after.resume()
    assert (delivered.status, delivered.attempt) == (Status.DELIVERED, 2)
    assert len(after.versions(after.app("production"))) == after.first_version + 1
    after.services.close()


def test_a_platform_that_is_stopped_during_a_build_fails_nothing(own_shop: Callable[..., Any]) -> None:
    platform, shop = own_shop()
    shop.durable = True
    real = shop.services.heroku.builds

    class Stopping:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def create(self, *arguments: Any, **options: Any) -> Any:
            made = real.create(*arguments, **options)
            platform.stop()
            return made

    shop.services.heroku.builds = Stopping()  # type: ignore[assignment]
    with pytest.raises(PlatformUnreachable):
        shop.deliver()
    platform.start()
    after = shop.like()
    [waiting] = after.resume()
    assert waiting.status is Status.WAITING
    after.services.close()
