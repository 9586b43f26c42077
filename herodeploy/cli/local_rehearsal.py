"""``herodeploy local fault|faults|requests|clock``: what goes wrong on demand, what was asked, what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from herodeploy.cli import console
from herodeploy.cli.layout import moment
from herodeploy.cli.options import Data, Json
from herodeploy.cli.surroundings import data_folder, local_errors
from herodeploy.errors import PlatformUnreachable, UsageError

if TYPE_CHECKING:
    from herodeploy.local.rehearsal.client import Control

HEADS = ("ID", "KIND", "ROUTE", "STRUCK", "LEFT")


def fault(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="delinquent (402), forbidden (403), two-factor (403, asks for the code 123456 until withdrawn), "
            "gone (410), rate-limit (429), error (500), unavailable (503 as HTML), reset-before or reset-after the "
            "action, latency, stall; or, in an app: build, release, dyno.",
        ),
    ],
    route: Annotated[
        str, typer.Option(metavar="ROUTE", help="What is hit, such as 'POST /apps/{app}/builds' or 'GET /apps*'.")
    ] = "*",
    app: Annotated[
        str | None, typer.Option(metavar="APP", help="The app that is hit, for build, release and dyno.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="NUMBER", min=0, help="How often; 0 is for ever.")] = 1,
    probability: Annotated[float, typer.Option(metavar="0-1", help="How likely, each time.")] = 1.0,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of the chance, to repeat a run.")] = 0,
    seconds: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How late, for latency.")] = 1.0,
    bytes_: Annotated[
        int, typer.Option("--bytes", metavar="NUMBER", min=0, help="How much of the reply comes before a stall.")
    ] = 0,
    data: Data = None,
    json: Json = False,
) -> None:
    """Let something go wrong on the running local platform, to see how your pipeline takes it."""
    options = {"count": count or None, "probability": probability, "seed": seed, "seconds": seconds, "bytes": bytes_}
    with _control(data) as control:
        made = control.fault(kind, app or route, **options)
    if json:
        console.say_json(made)
    else:
        console.say(f"{made['kind']} will strike {_what(made)} ({made['id']})")
        if made["kind"] == "release":
            console.info("  it fails a release phase: an app without a `release:` line in its Procfile has none")


def faults(
    clear: Annotated[bool, typer.Option("--clear", help="Withdraw them all.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """List what is to go wrong on the local platform, and how often it did; --clear withdraws it."""
    with _control(data) as control:
        found = control.faults()
        if clear:
            control.clear_faults()
    if json:
        console.say_json(found)
    elif not found:
        console.say("nothing is ordered to go wrong")
    elif clear:
        console.say(f"withdrew {len(found)}")
    else:
        console.table(HEADS, [_row(each) for each in found])


def requests(
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="NUMBER", min=1, help="How many, the newest.")] = 50,
    data: Data = None,
    json: Json = False,
) -> None:
    """List the newest requests that the local platform's API answered."""
    with _control(data) as control:
        found = control.requests()[-lines:]
    if json:
        console.say_json(found)
        return
    rows = [
        (
            moment(datetime.fromisoformat(each["at"])),
            each["method"],
            str(each["status"] or "reset"),
            f"{each['milliseconds']}ms",
            each["path"],
        )
        for each in found
    ]
    console.sentences(("AT", "METHOD", "STATUS", "TOOK", "PATH"), rows)


def clock(
    advance: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Let that much time pass, such as 31d or 2h30m.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show the local platform's time; --advance lets it pass: releases expire, stale review apps go."""
    from herodeploy.config import durations

    try:
        length = durations.parse(advance) if advance is not None else None
    except ValueError:
        raise UsageError(f"--advance {advance!r} is no length of time", hint="such as 90s, 2h30m or 31d") from None
    with _control(data) as control:
        told = control.clock() if length is None else control.advance(length.total_seconds())
    if json:
        console.say_json(told)
    else:
        ahead = f", {durations.write(timedelta(seconds=told['ahead']))} ahead" if told["ahead"] else ""
        console.say(moment(datetime.fromisoformat(told["now"])) + ahead)


@contextmanager
def _control(data: Any) -> Iterator[Control]:
    from herodeploy.local import control, folders
    from herodeploy.local.rehearsal.client import Control, Refused

    folder = data_folder(data)
    with local_errors():
        running = control.find(folder)
    if running is None:
        raise PlatformUnreachable("the local platform does not run", hint="start it: herodeploy local start")
    try:
        yield Control(running.url, folders.secret_of(folder, folders.CONTROL_TOKEN))
    except Refused as problem:
        raise UsageError(str(problem)) from problem
    except OSError as problem:
        hint = "start it anew: herodeploy local stop; herodeploy local start"
        raise PlatformUnreachable(f"cannot reach {running.url}: {problem}", hint=hint) from problem


def _what(fault: dict[str, Any]) -> str:
    times = {None: "every time", 1: "once"}.get(fault["count"], f"{fault['count']} times")
    return f"{'anything' if fault['route'] == '*' else fault['route']} {times}"


def _row(fault: dict[str, Any]) -> tuple[str, ...]:
    left = "-" if fault["count"] is None else str(fault["count"] - fault["struck"])
    return (fault["id"], fault["kind"], fault["route"], str(fault["struck"]), left)
