"""``herodeploy promote``: the push-button alone."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Json, LockWait, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.cli.turn import take_turn

promote = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@promote.command("promote")
def run(
    stage: Annotated[
        str | None, typer.Argument(metavar="STAGE", help="The stage to promote into.", show_default="the last one")
    ] = None,
    override: Annotated[
        bool, typer.Option("--override", help="Go past gates that say WAIT or FAIL; wants --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why to override; kept in the history.")] = None,
    lock_wait: LockWait = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Promote the exact release of the stage before, now, and verify it.

    You are the gate: no other is asked, but for those that hold for people, too. A lock is one, unless it is your own.
    """
    from herodeploy.app import exclusive
    from herodeploy.flows import by_hand
    from herodeploy.flows import promote as flow

    why = by_hand.check_reason(override, reason)

    command = "herodeploy promote" + (f" {stage}" if stage else "")
    with services_of(directory, config, platform) as services:
        view = take_turn(services, exclusive, command, lock_wait, lambda _: flow.promote(services, stage, override=why))
    if json:
        console.say_json(view.to_json())
        return
    if view.already:
        versions = view.apps.items()
        which = ", ".join(f"{app} v{version}" if len(versions) > 1 else f"v{version}" for app, version in versions)
        console.say(f"{view.stage} runs it already ({which})")
        return
    commit = f" ({view.commit[:8]})" if view.commit else ""
    console.say(f"promoted {view.source_app} v{view.release_version}{commit} to {view.stage}")
    for app, version in view.apps.items():
        console.say(f"  {app}: v{version}")
