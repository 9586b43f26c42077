"""One leg at a time in a stage: a row of the store that outlives the process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.errors import Occupied
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import wait_for

LOOK_AGAIN = 1.0
"""Seconds between two looks at who holds a stage."""


def enter(services: Services, stage: str, holder: str) -> None:
    """Take a stage. A delivery leaves it with the move by which it runs no longer, in whichever process that is.

    The caller has the pipeline to itself (worker lock), so a holder that is no open delivery is dead.

    Parameters:
        holder: a delivery's id, or a name of its own for what a person does by hand.

    Raises:
        Occupied: another delivery holds the stage.
    """
    pipeline_id = services.pipeline().id
    while (held_by := services.store.occupy(pipeline_id, stage, holder, services.clock())) != holder:
        if _is_alive(services, held_by):
            raise _taken(f"delivery {held_by} holds {stage}", stage, held_by)
        services.store.vacate(pipeline_id, stage, held_by)


@contextmanager
def occupied_by_hand(services: Services, stage: str, *, instead_of: Delivery | None = None) -> Iterator[str]:
    """Hold a stage for what a person does by hand, while the block lasts; gives the name of the move.

    Parameters:
        instead_of: the delivery that soaks there, which the block ends.

    Raises:
        Occupied: a delivery holds the stage, or was let into it and cut: carried on, it would undo the person's work.
    """
    if (taken := on_its_way(services, stage, instead_of=instead_of)) is not None:
        raise taken
    if instead_of is not None:
        services.store.vacate(instead_of.pipeline_id, stage, instead_of.id)
    name = f"by-hand-{uuid.uuid4().hex[:8]}"
    enter(services, stage, name)
    try:
        yield name
    except Exception:
        services.store.vacate(services.pipeline().id, stage, name)
        raise
    services.store.vacate(services.pipeline().id, stage, name)


def on_its_way(services: Services, stage: str, *, instead_of: Delivery | None = None) -> Occupied | None:
    """Return what `occupied_by_hand` would raise because of a delivery that was let into the stage, if so."""
    for each in services.store.open_deliveries(services.pipeline().id):
        if _is_on_its_way(each, stage) and (instead_of is None or each.id != instead_of.id):
            way_out = f", or end it: herodeploy rollback {stage}" if each.soaks else ""
            return _taken(f"delivery {each.id} is on its way into {stage}", stage, each.id, way_out)
    return None


def free(services: Services, held: Occupied, within: timedelta) -> bool:
    """Wait until the delivery that holds a stage has left it or ended; whether it has.

    The caller must not have the pipeline to itself meanwhile, or nobody could carry that delivery on.

    Parameters:
        within: how long to wait.
    """

    def gone() -> bool | None:
        delivery = services.store.delivery(held.holder)
        if delivery is None or delivery.status.ended:
            return True
        inside = services.store.occupant(services.pipeline().id, held.stage) == held.holder
        return None if inside or _is_on_its_way(delivery, held.stage) else True

    return wait_for(services, gone, within=within, every=max(LOOK_AGAIN, services.poll)) is not None


def _is_alive(services: Services, holder: str) -> bool:
    delivery = services.store.delivery(holder)
    return delivery is not None and not delivery.status.ended


def _is_on_its_way(delivery: Delivery, stage: str) -> bool:
    return delivery.status is Status.RUNNING and delivery.at_stage == stage


def _taken(message: str, stage: str, holder: str, way_out: str = "") -> Occupied:
    return Occupied(message, stage=stage, holder=holder, hint=f"let it finish first: herodeploy resume{way_out}")
