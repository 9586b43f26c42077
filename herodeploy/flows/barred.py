"""Locks that were set while a move is on its way: it goes no further before they are gone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Answer
from herodeploy.flows import locks
from herodeploy.flows.judge import verdicts_of
from herodeploy.flows.services import Services
from herodeploy.gates import lock

if TYPE_CHECKING:
    from herodeploy.flows.waves import Move


def by_lock(services: Services, move: Move) -> str | None:
    """Say which locks keep a move out that its gates have let in; None where none does.

    Those do that people have set since. A person's own lock bars nothing that they do by hand.
    """
    if move.delivery_id is not None:
        delivery = services.store.delivery(move.delivery_id)
        return _delivery(services, delivery) if delivery is not None else None
    since = datetime.fromisoformat(move.let_in) if move.let_in is not None else services.clock()
    found = [each for each in locks.in_force(services, move.stage.name) if not each.warning and each.since >= since]
    return "; ".join(lock.sentence(each) for each in found if not locks.is_of(each, services.actor)) or None


def halted(reason: str) -> dict[str, Any]:
    """Return the outcome of a leg that goes no further for now, as a lock is in its way."""
    return {"outcome": "halted", "reason": reason}


def _delivery(services: Services, delivery: Delivery) -> str | None:
    locked = (each for each in verdicts_of(services, delivery) if each.kind == lock.KIND)
    return "; ".join(each.reason for each in locked if each.answer is Answer.WAIT) or None
