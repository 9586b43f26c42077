"""Looking again at the deliveries that wait, once something has changed that they may have waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.cli import console, deliveries
from herodeploy.cli.surroundings import in_turn, resumable
from herodeploy.domain.delivery import Status

if TYPE_CHECKING:
    from herodeploy.app import Services


def look_again(services: Services) -> None:
    """Carry on whatever is open where something waits, tell how each stands then, and leave with the worst one's code.

    Raises:
        Busy: another herodeploy works on the pipeline.
    """
    from herodeploy.app import worker
    from herodeploy.flows import deliver as flow

    waiting = services.store.open_deliveries(services.pipeline().id)
    if not any(delivery.status is Status.WAITING for delivery in waiting):
        return
    with resumable("what is open"), in_turn(worker(services), "herodeploy resume") as engine:
        looked_at = flow.resume(services, engine)
    for delivery in looked_at:
        console.info(f"{delivery.id} ({delivery.short}): {delivery.status.value}")
    # One that a newer one superseded is none's fault.
    deliveries.leave(*(each for each in looked_at if each.status is not Status.SUPERSEDED))
