"""``herodeploy apply``: make herodeploy.yml true on the platform."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

apply = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@apply.command("apply")
def run(
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and change nothing.")] = False,
    json: Json = False,
) -> None:
    """Create the pipeline, its apps and their places in it, as herodeploy.yml says.

    What is there already stays as it is; a second run changes nothing. Nothing is ever deleted.
    """
    from herodeploy.flows import apply as flow

    with services_of(directory, config, platform) as services:
        actions = flow.plan(services)
        if not dry_run:
            flow.apply(services, actions)
        others = flow.not_named(services)
    if json:
        console.say_json({"actions": [action.to_json() for action in actions], "not_named": others, "dry_run": dry_run})
    elif not actions:
        console.say(f"nothing to do: {services.spec.name} is as herodeploy.yml says")
    elif dry_run:
        for action in actions:
            console.say(f"would {action.text}")
    else:
        console.say(f"{services.spec.name} is as herodeploy.yml says now; next: herodeploy deliver")
    if others:
        console.info(
            f"in the pipeline, but not in herodeploy.yml, so left alone: {', '.join(others)}; "
            f"to take one out: heroku pipelines:remove -a {others[0]}"
        )
