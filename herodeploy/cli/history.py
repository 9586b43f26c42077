"""``herodeploy history``: what happened, who did it and why."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.layout import moment
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

history = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@history.command("history")
def run(
    delivery: Annotated[
        str | None, typer.Argument(metavar="DELIVERY", help="Only of this delivery.", show_default="all")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="NUMBER", min=1, help="How many lines at most.")] = 30,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Show what happened in the pipeline, the newest first."""
    from herodeploy.flows import status as flow

    with services_of(directory, config, platform) as services:
        events = flow.history(services, delivery=delivery, limit=limit)
    if json:
        console.say_json({"events": [flow.event_json(event) for event in events]})
    elif not events:
        console.say("nothing happened yet")
    else:
        rows = [(moment(event.at), event.actor, event.kind, event.text) for event in events]
        console.sentences(("WHEN", "WHO", "EVENT", "WHAT"), rows)
