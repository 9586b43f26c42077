"""The last thing that moved a stage, as the audit log tells it: what began and never ended was cut."""

from __future__ import annotations

from herodeploy.domain.event import Event
from herodeploy.flows.services import Services

EVENTS = 500
MOVES = ("rollback.", "promotion.", "deploy.", "leg.")
"""Kinds of events that begin or end a move into a stage."""


def last_move(services: Services, stage: str) -> Event | None:
    """Return the newest event that began or ended a move into a stage."""
    events = services.store.events(services.pipeline().id, limit=EVENTS)
    return next((event for event in events if event.stage == stage and event.kind.startswith(MOVES)), None)
