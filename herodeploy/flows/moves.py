"""The last thing that moved a stage, as the audit log tells it: what began and never ended was cut."""

from __future__ import annotations

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event
from herodeploy.flows.services import Services

ROLLBACKS = ("rollback.started", "rollback.succeeded", "rollback.failed")
"""Kinds of events of a rollback by hand."""
LEG_STARTED = "leg.started"
"""Kind of the event with which a delivery's leg begins; its data are what was there before."""
MOVES = (
    LEG_STARTED,
    "deploy.succeeded",
    "deploy.failed",
    "promotion.started",
    "promotion.succeeded",
    "promotion.failed",
    "delivery.delivered",
    *ROLLBACKS,
)
"""Kinds of events that begin or end a move into a stage."""


def last_move(services: Services, stage: str) -> Event | None:
    """Return the newest event that began or ended a move into a stage."""
    return services.store.audit.last(services.pipeline().id, stage, MOVES)


def is_overtaken(services: Services, delivery: Delivery) -> bool:
    """Whether another move has come into the stage since a delivery began to enter it: what it saw is there no more."""
    last = last_move(services, delivery.at_stage)
    return last is not None and last.delivery_id != delivery.id


def last_of(
    services: Services, stage: str, move: str, delivery_id: str | None, *kinds: str, after: int = 0
) -> Event | None:
    """Return the newest event of these kinds that a move has written, by a delivery in whichever of its attempts.

    Parameters:
        move: its id, which tells moves by hand apart.
        delivery_id: None for what a person does by hand.
        after: only one that came after the event of that number.
    """
    said = {"move": move} if delivery_id is None else {}
    audit = services.store.audit
    return audit.last(services.pipeline().id, stage, kinds, delivery_id=delivery_id, after=after, said=said)
