"""Looking again at the deliveries that wait, once something has changed that they may have waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.cli import console, deliveries
from herodeploy.cli.carrying import look_again_at_all
from herodeploy.domain.delivery import Status

if TYPE_CHECKING:
    from herodeploy.app import Services


def look_again(services: Services) -> None:
    """Carry on whatever is open where something waits, tell how each stands then, and leave with the worst one's code.

    Where a worker stands by it knows already, and does it.

    Raises:
        Busy: another herodeploy works on the pipeline.
    """
    from herodeploy.app import standing_worker

    waiting = services.store.open_deliveries(services.pipeline().id)
    if not any(delivery.status is Status.WAITING for delivery in waiting):
        return
    if (who := standing_worker(services)) is not None:
        console.info(f"{who}, the worker of this pipeline, looks again at what waits")
        return
    looked_at = look_again_at_all(services)
    for delivery in looked_at:
        console.info(f"{delivery.id} ({delivery.short}): {delivery.status.value}")
    # One that a newer one superseded is none's fault.
    deliveries.leave(*(each for each in looked_at if each.status is not Status.SUPERSEDED))
