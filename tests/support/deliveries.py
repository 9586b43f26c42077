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


def made(delivery_id: str, commit: str, at: datetime = NOON, **changes: Any) -> Delivery:
    """A delivery that has just begun, but for what is changed."""
    begun = Delivery(
        id=delivery_id,
        pipeline_id="p1",
        pipeline="shop",
        commit=commit,
        branch="main",
        message="Sell umbrellas ☂",
        author="ann@example.com",
        status=Status.RUNNING,
        at_stage="test",
        attempt=1,
        created_at=at,
        updated_at=at,
    )
    return dataclasses.replace(begun, **changes)


def waiting(store: Store, number: int = 1, **changes: Any) -> Delivery:
    """A delivery that waits before production and was looked at since."""
    here = {"status": Status.WAITING, "at_stage": "production", "slug_id": f"s{number}", "reason": "waits"}
    delivery = dataclasses.replace(made(f"d{number}", f"c{number}", **here), **changes)
    return store.add_delivery(delivery, event("delivery.created"))


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
