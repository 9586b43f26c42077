"""``herodeploy targets``: what a move into a stage came to in each app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.layout import moment
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

if TYPE_CHECKING:
    from herodeploy.domain.target import Target

targets = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@targets.command("targets")
def run(
    of: Annotated[
        str | None,
        typer.Argument(
            metavar="DELIVERY|STAGE",
            help="Every move of this delivery, or the last one into this stage.",
            show_default="the last one into each stage",
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="APP", help="Print what the release phase of this app put out, no table.")
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Show which release each app got by a deploy or a promotion, and why not, where it did not.

    With --output APP: the output of its release phase, of which the last 64 KiB are kept.
    """
    from herodeploy.flows import targets as flow

    with services_of(directory, config, platform) as services:
        shown = flow.targets(services, of)
        said = flow.output_of(shown, output) if output is not None else None
    if json:
        chosen = [target for target in shown if output in (None, target.app)]
        console.say_json({"targets": [target.to_json() for target in chosen]})
    elif said is not None:
        for line in said.splitlines():
            console.quote(line)
    elif not shown:
        console.say("nothing has been deployed or promoted yet")
    else:
        head, rows = ("STAGE", "WAVE", "APP", "RELEASE", "STATUS", "BEGAN", "WHY"), [_row(target) for target in shown]
        if any(why for *_, why in rows):
            console.sentences(head, rows)
        else:
            console.table(head[:-1], [row[:-1] for row in rows])


def _row(target: Target) -> tuple[str, ...]:
    wave = str(target.wave) if target.wave else "build"
    version = f"v{target.version}" if target.version is not None else ""
    return (target.stage, wave, target.app, version, target.status, moment(target.at), target.error or "")
