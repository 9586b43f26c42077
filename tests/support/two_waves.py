"""A shop whose production has two waves with ten minutes between them, and a clock that jumps over them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.flows import mode

from .two_apps import two_apps

Shop = Any
TICK = timedelta(milliseconds=1)
"""Ids of deliveries tell that apart."""


@dataclass
class Clock:
    """A clock that jumps over every pause of a second or more; `then` is called at each.

    Else it stands still but for a tick at each look, so that ten minutes are as many pauses on a busy machine as on
    an idle one, and no two events are of one instant.
    """

    ahead: timedelta = timedelta()
    pauses: list[float] = field(default_factory=list)
    then: Any = lambda: None
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        self.ahead += TICK
        return self.began + self.ahead

    def pass_(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)

    def pause(self, seconds: float) -> None:
        if seconds < 1:
            time.sleep(seconds)  # between two looks at the platform, as in any other test
            return
        self.pauses.append(seconds)
        self.pass_(seconds)
        self.then()


def two_waves(make: Callable[..., Shop], clock: Clock) -> Shop:
    """A shop that rolls back on failure, in deployment mode, with one release delivered."""
    shop = two_apps(make, waves=2, on_failure="rollback", wave_soak=timedelta(minutes=10))
    shop.services.clock, shop.services.pause = clock.now, clock.pause
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.first = shop.deliver()
    assert shop.first.status is Status.DELIVERED
    clock.pauses.clear()
    shop.notes.clear()
    return shop


def slugs(shop: Shop) -> list[str | None]:
    """What each app of production runs."""
    return [shop.slug(app) for app in shop.services.spec.stages[1].apps]
