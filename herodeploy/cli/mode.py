"""``herodeploy mode``: the switch between continuous delivery and continuous deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.again import look_again
from herodeploy.cli.layout import moment
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.domain.mode import Mode

if TYPE_CHECKING:
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
            look_again(services)


def _who(change: ModeChange) -> str:
    if change.by is None or change.at is None:
        return " (as herodeploy.yml says)"
    return f" (by {change.by} at {moment(change.at)}" + (f": {change.why})" if change.why else ")")
