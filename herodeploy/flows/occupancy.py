"""One leg at a time in a stage: a row of the store that outlives the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from herodeploy.errors import Busy
from herodeploy.flows.services import Services


@contextmanager
def occupied(services: Services, stage: str, holder: str) -> Iterator[None]:
    """Hold a stage while the block lasts.

    A block that ends, well or with an error, gives the stage back; a process that dies or is interrupted keeps it
    for the delivery, which takes it up again when it resumes. The caller has the pipeline to itself (worker lock),
    so a holder that is no open delivery is dead.

    Parameters:
        holder: a delivery's id, or a name of its own for what a person does by hand.

    Raises:
        Busy: another delivery holds the stage.
    """
    pipeline_id = services.pipeline().id
    while (held_by := services.store.occupy(pipeline_id, stage, holder, services.clock())) != holder:
        other = services.store.delivery(held_by)
        if other is not None and not other.status.ended:
            raise Busy(f"delivery {held_by} holds {stage}", hint="let it finish first: herodeploy resume")
        services.store.vacate(pipeline_id, stage, held_by)
    try:
        yield
    except Exception:
        services.store.vacate(pipeline_id, stage, holder)
        raise
    services.store.vacate(pipeline_id, stage, holder)
