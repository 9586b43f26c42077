"""``herodeploy mode``: the switch between continuous delivery and continuous deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console, deliveries
from herodeploy.cli.layout import moment
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import in_turn, resumable, services_of
from herodeploy.domain.mode import Mode

if TYPE_CHECKING:
    from herodeploy.app import Services
    from herodeploy.domain.mode import ModeChange

mode = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@mode.command("mode")
def run(
    to: Annotated[
        Mode | None,
        typer.Argument(
            metavar="MODE",
            help="delivery or deployment: switch to it. Without it, show the one in force.",
            show_default=False,
        ),
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept with who and when.")] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Show the mode, or switch it: in delivery a person approves production, in deployment nobody needs to.

    Deliveries that wait are looked at again after a switch.
    """
    from herodeploy.flows import mode as flow

    with services_of(directory, config, platform) as services:
        change = flow.switch(services, to, why) if to else flow.show(services)
        if json:
            console.say_json(flow.mode_json(change))
        else:
            console.say(f"{services.spec.name}: {change.mode.value}{_who(change)}")
        if to:
            _look_again(services)


def _who(change: ModeChange) -> str:
    if change.by is None or change.at is None:
        return " (as herodeploy.yml says)"
    return f" (by {change.by} at {moment(change.at)}" + (f": {change.why})" if change.why else ")")


def _look_again(services: Services) -> None:
    from herodeploy.app import worker
    from herodeploy.domain.delivery import Status
    from herodeploy.flows import deliver as flow

    waiting = services.store.open_deliveries(services.pipeline().id)
    if not any(delivery.status is Status.WAITING for delivery in waiting):
        return
    with resumable("what is open"), in_turn(worker(services), "herodeploy resume") as engine:
        looked_at = flow.resume(services, engine)
    for delivery in looked_at:
        console.info(f"{delivery.id} ({delivery.short}): {delivery.status.value}")
    deliveries.leave(*looked_at)
