"""Carrying deliveries on: here, or by the pipeline's standing worker, which this command then follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.surroundings import in_turn, resumable

if TYPE_CHECKING:
    from herodeploy.app import Services
    from herodeploy.domain.delivery import Delivery
    from herodeploy.engine.port import Engine

    Turn = Callable[[Callable[[Engine], Delivery]], Delivery]

Wait = Annotated[
    bool,
    typer.Option(
        "--wait/--no-wait",
        help="Where a herodeploy worker carries it on: follow it until it has ended or waits, or leave at once.",
    ),
]

MANY = 20
"""More deliveries than these are not followed: nobody could read it."""


def carry_on(
    services: Services,
    begin: Callable[[], Delivery],
    *,
    what: str = "delivery {id}",
    turn: Turn | None = None,
    will_wait: bool = False,
    wait: bool = True,
    asks: bool = True,
) -> Delivery:
    """Carry one delivery on until it has ended or waits; a person asks for it.

    Where a worker stands by it does the work, and this process tells what becomes of it. Should the worker end
    meanwhile, this process goes on in its place.

    Parameters:
        begin: begins the delivery, or returns the one that is meant; called in its turn, where there is one.
        what: how to call it when it is cut; ``{id}`` is its id.
        turn: does what it is given in its turn, where nobody stands by; unless given, at once or not at all.
        will_wait: whether `turn` waits for a stage that another delivery holds.
        wait: False leaves at once where a worker does it.
        asks: False where they have asked already; what they locked since counts against them.

    Raises:
        Busy: another herodeploy works on the pipeline.
        PlatformError: the platform or the network broke.
    """
    from herodeploy.app import standing_worker, worker
    from herodeploy.flows import attend
    from herodeploy.flows import deliver as flow

    if (who := standing_worker(services)) is not None:
        since = services.store.audit.newest(services.pipeline().id)
        delivery = begin()
        if asks:
            services.store.due.ask(delivery.id, services.actor)
        if _left_to(who, services, [delivery.id], wait=wait, since=since):
            return services.store.delivery(delivery.id) or delivery
        return carry_on(services, lambda: delivery, what=what, turn=turn, will_wait=will_wait, wait=wait, asks=False)

    if turn is None:
        begun = begin()
        with resumable(what.format(id=begun.id)):
            with in_turn(worker(services), "herodeploy resume") as engine:
                begun = flow.advance(services, engine, begun, asks=asks)
            return attend.stay(services, lambda: worker(services), begun)

    def act(engine: Engine) -> Delivery:
        delivery = begin()
        with resumable(what.format(id=delivery.id), will_wait=will_wait):
            return flow.advance(services, engine, delivery, asks=asks)

    delivery = turn(act)
    with resumable(what.format(id=delivery.id), will_wait=will_wait):
        return attend.stay(services, lambda: worker(services), delivery)


def look_again_at_all(services: Services, *, wait: bool = True) -> list[Delivery]:
    """Carry on whatever is open; parameters and errors as of `carry_on`.

    Returns:
        what was open, as it is afterwards.
    """
    from herodeploy.app import standing_worker, worker
    from herodeploy.flows import attend
    from herodeploy.flows import deliver as flow

    pipeline_id = services.pipeline().id
    if (who := standing_worker(services)) is not None:
        since = services.store.audit.newest(pipeline_id)
        ids = [each.id for each in services.store.open_deliveries(pipeline_id)]
        services.store.due.ask_all(pipeline_id)
        if _left_to(who, services, ids, wait=wait, since=since):
            return [each for each in map(services.store.delivery, ids) if each is not None]
        return look_again_at_all(services, wait=wait)
    with resumable("what is open"):
        with in_turn(worker(services), "herodeploy resume") as engine:
            looked_at = flow.resume(services, engine)
        return attend.stay_with_all(services, lambda: worker(services), looked_at)


def _left_to(who: str, services: Services, ids: Sequence[str], *, wait: bool, since: int) -> bool:
    """Leave deliveries to a worker, and follow it if wanted; False where it ended before they were through."""
    from herodeploy.app import standing_worker
    from herodeploy.flows.follow import follow

    if not ids:
        return True
    ones = ids[0] if len(ids) == 1 else f"{len(ids)} deliveries"
    console.info(f"{who}, the worker of this pipeline, carries {ones} on")
    if not wait or len(ids) > MANY:
        return True
    try:
        with closing(services.store.bell()) as bell:
            through = follow(services, ids, bell, lambda: standing_worker(services) is not None, since=since)
    except KeyboardInterrupt:
        console.info(f"the worker goes on with {ones}; see: herodeploy status")
        raise
    if not through:
        console.warn(f"{who}, the worker of this pipeline, has ended")
    return through
