"""Deliveries that wait in a store, with no platform behind them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from herodeploy.domain.approval import Approval
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.store.store import Store

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def waiting(store: Store, number: int = 1, **changes: Any) -> Delivery:
    """A delivery that waits before production and was looked at since."""
    made = Delivery(
        id=f"d{number}",
        pipeline_id="p1",
        pipeline="shop",
        commit=f"c{number}",
        branch="main",
        message="Sell umbrellas",
        author="ann@example.com",
        status=Status.WAITING,
        at_stage="production",
        attempt=1,
        created_at=NOON,
        updated_at=NOON,
        slug_id=f"s{number}",
        reason="waits",
    )
    return store.add_delivery(dataclasses.replace(made, **changes), event("delivery.created"))


def event(kind: str, at: datetime = NOON) -> Event:
    """An event of that kind."""
    return Event(at, "p1", kind, "bob", kind)


def now(store: Store, delivery_id: str = "d1") -> Delivery:
    """The delivery as it is by now."""
    found = store.delivery(delivery_id)
    assert found is not None
    return found


def approve(store: Store, number: int, by: str = "bob", at: datetime = NOON) -> Approval:
    """Somebody says yes."""
    approval = Approval(f"{by}{number}", f"d{number}", "production", f"s{number}", by, at)
    store.gates.add_approval(approval, event("approval.given"))
    return approval
