"""``herodeploy lock``, ``unlock`` and ``locks``: keep changes out of a stage, and let them in again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console, when
from herodeploy.cli.again import look_again
from herodeploy.cli.layout import age, until
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.errors import UsageError

if TYPE_CHECKING:
    from herodeploy.domain.lock import Lock
    from herodeploy.flows.locks import Scope

lock = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
unlock = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
locks = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Pipeline = Annotated[bool, typer.Option("--pipeline", help="The whole pipeline instead of one stage.")]
Everything = Annotated[bool, typer.Option("--everything", help="All pipelines that share this herodeploy's database.")]


@lock.command("lock")
def run(
    why: Annotated[
        str, typer.Option("--why", "--reason", metavar="TEXT", help="Why; everybody who is kept out reads it.")
    ],
    stage: Annotated[
        str | None, typer.Argument(metavar="STAGE", help="The stage to lock.", show_default="the last one")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=f"When the lock ends by itself, {when.EXAMPLES}; of your time zone where it names none.",
            show_default="never",
        ),
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="LENGTH", help="How long it lasts, such as 2h or 1h30m.")
    ] = None,
    warning: Annotated[bool, typer.Option("--warning", help="Only warn; keep nobody out.")] = False,
    pipeline: Pipeline = False,
    everything: Everything = False,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Lock a stage: no change moves into it, by itself or by hand, until the lock ends or somebody unlocks.

    Deliveries wait meanwhile. You may pass your own lock, with a deliver, approve or promote that you give after it. A
    move into the stage that is under way finishes its wave; the next one waits. Rollback is free: it is the way out.
    """
    from herodeploy.flows import locks as flow

    scope = _scope(pipeline, everything)
    with services_of(directory, config, platform) as services:
        ends = when.end(until, lasting, services.clock())
        made = flow.lock(services, stage, why=why, scope=scope, until=ends, warning=warning)
    if json:
        console.say_json(flow.lock_json(made))
    else:
        console.say(f"{_what(made)}{_ends(made)}: {made.why}")
        if not made.warning:
            console.say("  it keeps others out, and deliveries under way; what you ask for from now on may pass it")
        console.say(f"  undo it: herodeploy unlock {made.id}")


@unlock.command("unlock")
def run_unlock(
    what: Annotated[
        str | None,
        typer.Argument(metavar="STAGE|LOCK", help="A stage, or a lock's id; see locks.", show_default="the last stage"),
    ] = None,
    pipeline: Pipeline = False,
    everything: Everything = False,
    why: Annotated[
        str | None, typer.Option("--why", "--reason", metavar="TEXT", help="Why; kept in the history.")
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Unlock, also what somebody else locked; the history says who did it. Deliveries that wait are looked at again.

    Of several locks of one place your own are meant.
    """
    from herodeploy.flows import locks as flow

    scope = _scope(pipeline, everything)
    with services_of(directory, config, platform) as services:
        gone = flow.unlock(services, what, scope=scope, why=why)
        if json:
            console.say_json({"unlocked": [flow.lock_json(each) for each in gone]})
        for each in gone if not json else ():
            whose = "your own lock" if flow.is_of(each, services.actor) else f"the lock of {each.by}"
            console.say(f"unlocked {each.scope}: {whose}, set {age(each.since)} ({each.why})")
        look_again(services)


@locks.command("locks")
def run_locks(
    directory: Directory = HERE, config: Config = None, platform: Platform = None, json: Json = False
) -> None:
    """Show what is locked: who did it, why, since when and until when."""
    from herodeploy.flows import locks as flow

    with services_of(directory, config, platform) as services:
        there = flow.in_force(services)
    if json:
        console.say_json({"locks": [flow.lock_json(each) for each in there]})
    elif not there:
        console.say("nothing is locked")
    else:
        console.sentences(("LOCK", "PLACE", "KIND", "BY", "SINCE", "UNTIL", "WHY"), [_row(each) for each in there])


def _scope(pipeline: bool, everything: bool) -> Scope:
    if pipeline and everything:
        raise UsageError("--pipeline and --everything are two places", hint="give one of them")
    return "everything" if everything else "pipeline" if pipeline else "stage"


def _what(made: Lock) -> str:
    return f"who promotes into {made.scope} is warned" if made.warning else f"{made.scope} is locked"


def _ends(made: Lock) -> str:
    return f" until {until(made.until)}" if made.until else ""


def _row(each: Lock) -> tuple[str, ...]:
    kind = "warning" if each.warning else "lock"
    return (each.id, each.scope, kind, each.by, age(each.since), until(each.until), each.why)
