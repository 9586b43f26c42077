"""Locks that were set while a move is on its way: it goes no further before they are gone."""

from __future__ import annotations

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
    found = [each for each in locks.barring(services, move.stage.name) if each.id not in move.locks_before]
    return "; ".join(map(lock.sentence, found)) or None


def halted(move: Move) -> dict[str, Any]:
    """Return the outcome of a leg that goes no further for now, as a lock is in its way.

    It tells whether the move is ``half_way``: it has brought some app another release already.
    """
    return {"outcome": "halted", "reason": move.barred, "half_way": move.brought(move.releases)}


def _delivery(services: Services, delivery: Delivery) -> str | None:
    locked = (each for each in verdicts_of(services, delivery) if each.kind == lock.KIND)
    return "; ".join(each.reason for each in locked if each.answer is Answer.WAIT) or None
