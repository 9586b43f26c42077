"""``herodeploy ci``: tests alone."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

ci = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@ci.callback()
def topic() -> None:
    """Test a commit without delivering it."""


@ci.command()
def run(
    ref: Annotated[str, typer.Argument(metavar="REF", help="The commit, branch or tag to test.")] = "HEAD",
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Run the tests of a commit as a delivery would; exit code 1 when they fail."""
    from herodeploy.flows import ci as flow

    with services_of(directory, config, platform) as services:
        result = flow.run(services, services.repo.resolve(ref))
    if json:
        console.say_json(result.to_json())
    else:
        number = f" in test run #{result.number}" if result.number else ""
        console.say(f"{result.commit[:8]}: {result.status}{number}")
