"""The last thing that moved a stage, as the audit log tells it: what began and never ended was cut."""

from __future__ import annotations

from herodeploy.domain.event import Event
from herodeploy.flows.services import Services

ROLLBACKS = ("rollback.started", "rollback.succeeded", "rollback.failed")
"""Kinds of events of a rollback by hand."""
MOVES = (
    "leg.started",
    "deploy.succeeded",
    "deploy.failed",
    "promotion.started",
    "promotion.succeeded",
    "promotion.failed",
    *ROLLBACKS,
)
"""Kinds of events that begin or end a move into a stage."""


def last_move(services: Services, stage: str) -> Event | None:
    """Return the newest event that began or ended a move into a stage."""
    return services.store.audit.last(services.pipeline().id, stage, MOVES)


def last_of(services: Services, stage: str, move: str, delivery_id: str | None, *kinds: str) -> Event | None:
    """Return the newest event of these kinds that a move has written, by a delivery in whichever of its attempts.

    Parameters:
        move: its id, which tells moves by hand apart.
        delivery_id: None for what a person does by hand.
    """
    said = {"move": move} if delivery_id is None else {}
    return services.store.audit.last(services.pipeline().id, stage, kinds, delivery_id=delivery_id, said=said)
