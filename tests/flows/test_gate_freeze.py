"""A freeze stops deliveries and people, a window only deliveries; both end by themselves."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import Refused
from herodeploy.flows import promote
from herodeploy.flows.why import why

Shop = Any
WINDOW = GateSpec("window", {"allow": ["Mon-Fri 09:00-17:00"], "timezone": "Europe/Berlin"})
FREEZE = GateSpec("freeze", {"deny": ["2026-12-20..2027-01-03"], "timezone": "Europe/Berlin", "why": "holidays"})


class Clock:
    def __init__(self, text: str) -> None:
        self.set(text)

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def gated(shop: Shop, now: str) -> Clock:
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(WINDOW, FREEZE)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")
    shop.services.clock = Clock(now)
    clock: Clock = shop.services.clock
    return clock


def test_a_delivery_waits_for_both(shop: Shop) -> None:
    clock = gated(shop, "2026-12-18T16:30")
    waiting = shop.deliver()
    assert (waiting.status, waiting.reason) == (
        Status.WAITING, "the window of production opens Mon 2026-12-21 09:00 Europe/Berlin"
    )  # fmt: skip
    # It is frozen by then, and thaws while the window is closed.
    assert why(shop.services).not_before == datetime(2027, 1, 4, 8, tzinfo=UTC)
    clock.set("2026-12-21T08:00")
    assert waiting.recheck_at == clock.now
    [waiting] = shop.resume()
    frozen = "production is frozen until Mon 2027-01-04 00:00 Europe/Berlin: holidays"
    assert (waiting.status, waiting.reason) == (Status.WAITING, frozen)
    clock.set("2027-01-03T23:00")
    assert waiting.recheck_at == clock.now
    [waiting] = shop.resume()
    assert waiting.reason == "the window of production opens Mon 2027-01-04 09:00 Europe/Berlin"
    clock.set("2027-01-04T08:00")
    assert shop.resume()[0].status is Status.DELIVERED


def test_a_person_meets_the_freeze_and_not_the_window(shop: Shop) -> None:
    clock = gated(shop, "2026-12-20T12:00")
    shop.deliver()
    with pytest.raises(Refused) as refused:
        promote.promote(shop.services)
    assert refused.value.message == ("freeze: production is frozen until Mon 2027-01-04 00:00 Europe/Berlin: holidays")
    clock.set("2026-12-19T22:00")
    promote.promote(shop.services)
    assert shop.slug(shop.app("production")) == shop.slug(shop.app("staging"))
