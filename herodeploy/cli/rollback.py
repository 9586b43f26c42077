"""``herodeploy rollback``: put an earlier release back."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Json, LockWait, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.cli.turn import take_turn
from herodeploy.domain.command import again

rollback = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@rollback.command("rollback")
def run(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="The stage, such as production.")],
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Such as v12, or a commit.", show_default="the previous good release"),
    ] = None,
    why: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept in the history.")] = None,
    lock_wait: LockWait = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Make a new release of an earlier good one, on every app of the stage, and verify it.

    Where the last move came only half-way into the stage, the apps that it has not reached stay as they are. A delivery
    whose wave soaks is ended. A release that is under way is waited for: its end decides what to go back from.
    """
    from herodeploy.app import exclusive
    from herodeploy.flows import rollback as flow

    command = again("rollback", stage, to=to, why=why)
    with services_of(directory, config, platform) as services:
        view = take_turn(services, exclusive, command, lock_wait, lambda _: flow.rollback(services, stage, to, why=why))
    if json:
        console.say_json(view.to_json())
        return
    for each in view.apps:
        commit = f" ({each.commit[:8]})" if each.commit else ""
        console.say(
            f"{each.app}: v{each.version} puts v{each.to_version}{commit} back, in place of v{each.from_version}"
        )
