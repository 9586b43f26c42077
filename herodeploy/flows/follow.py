"""Following what a standing worker does with deliveries, by what it writes into the audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.progress import NoteKind
from herodeploy.flows import soak
from herodeploy.flows.services import Services
from herodeploy.store.bell import Bell

LOOK = 1.0
"""Seconds between two looks whether the worker is there still."""
DONE = ("ci.succeeded", "ci.skipped", "deploy.succeeded", "promotion.succeeded", "delivery.delivered")


def follow(
    services: Services, delivery_ids: Sequence[str], bell: Bell, still_there: Callable[[], bool], *, since: int
) -> bool:
    """Tell what happens to deliveries until each has ended, waits for something or has errored.

    Parameters:
        still_there: whether there is a worker that may carry them on.
        since: the number of the last event that is known already.

    Returns:
        False where the worker is gone before.
    """
    while True:
        found = [services.store.delivery(each) for each in delivery_ids]
        for number, event in services.store.audit.after(delivery_ids, since):
            services.tell(_kind(event), event.text, leg=event.stage)
            since = number
        if all(each is None or settled(each) for each in found):
            return True
        if not bell.wait(LOOK) and not still_there():
            return False


def settled(delivery: Delivery) -> bool:
    """Whether it goes on no further before something happens."""
    return delivery.status.ended or (delivery.status is not Status.RUNNING and delivery.news == 0)


def _kind(event: Event) -> NoteKind:
    if event.kind == "leg.started":
        return "leg"
    if event.kind in DONE:
        return "done"
    if event.kind in ("gates.waiting", soak.SOAKING):
        return "wait"
    return "failed" if event.kind.endswith((".failed", ".errored", ".crashed")) else "info"
