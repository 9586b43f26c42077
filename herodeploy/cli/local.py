"""``herodeploy local``: the platform on this machine."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from herodeploy.cli import console, local_rehearsal
from herodeploy.cli.options import Data, Json, Yes
from herodeploy.cli.surroundings import data_folder, local_errors, start_local
from herodeploy.errors import ExitCode, NotFound, PlatformUnreachable, UsageError

if TYPE_CHECKING:
    from herodeploy.local.control import Running

local = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@local.callback()
def topic() -> None:
    """Start, stop and look at the local platform: Heroku's API, builds, dynos and routing on this machine."""


@local.command()
def start(
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT", min=1, max=65535, help="Port of 127.0.0.1.", show_default="the last one, or a free one"
        ),
    ] = None,
    data: Data = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Start the local platform; returns when it answers. One that runs already is left as it is."""
    from herodeploy.local import control

    folder = data_folder(data)
    if foreground:
        with local_errors():
            control.serve(folder, port, lambda running: console.say(running.url))
        return
    running = start_local(folder, port)
    if json:
        console.say_json(_json(running))
    else:
        console.say(running.url)


@local.command()
def stop(data: Data = None) -> None:
    """Stop the local platform with everything that runs on it; what it holds is kept."""
    from herodeploy.local import control

    with local_errors():
        stopped = control.stop(data_folder(data))
    console.say("stopped" if stopped else "it did not run")


@local.command()
def status(data: Data = None, json: Json = False) -> None:
    """Show whether the local platform runs, and where its apps answer; exit code 1 when it does not run."""
    from herodeploy.local import control

    folder = data_folder(data)
    with local_errors():
        running = control.find(folder)
    if running is None:
        if json:
            console.say_json({"running": False, "data": str(folder)})
        else:
            console.say(f"not running (its data: {folder})")
        raise typer.Exit(int(ExitCode.NO))
    apps, isolation = _ask(running, "/_local/apps"), _ask(running, "/_local/status")["isolation"]
    if json:
        console.say_json(_json(running) | {"isolation": isolation, "apps": apps})
        return
    console.say(f"running at {running.url}, process {running.pid}")
    console.say(f"data in {running.data}")
    console.say("builds and dynos are isolated" if isolation["on"] else f"no isolation: {isolation['why_not']}")
    if apps:
        console.say()
        rows = [(app["name"], app["web_url"], app["address"] or "") for app in apps]
        console.table(("APP", "IN A BROWSER", "FOR ANY CLIENT"), rows)


@local.command()
def env(
    with_proxy: Annotated[
        bool,
        typer.Option(
            "--with-proxy",
            help="Also for what the Heroku CLI asks kolkrabbi.heroku.com and api.github.com: ci:run, pipelines:diff. "
            "No other HTTPS then.",
        ),
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Print what points the Heroku CLI, git and other clients here: eval "$(herodeploy local env)"."""
    from herodeploy.local import clients

    folder = data_folder(data)
    running = _running(folder)
    with local_errors():
        authority = clients.authority(running.url, running.token, needed=with_proxy)
        variables = clients.variables(running.url, running.token, authority, proxy=with_proxy)
    if data is not None:
        variables["HERODEPLOY_LOCAL_DATA"] = str(folder)
    if json:
        console.say_json(variables)
        return
    for name, value in variables.items():
        console.say_as_is(f"export {name}={shlex.quote(value)}")


@local.command()
def logs(
    app: Annotated[str, typer.Argument(metavar="APP", help="The app's name.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="NUMBER", min=1, max=1500, help="How many old lines.")
    ] = 100,
    data: Data = None,
) -> None:
    """Print an app's log on the local platform."""
    from herodeploy.domain.secret import Secret
    from herodeploy.heroku.client import Heroku

    running = _running(data_folder(data))
    with Heroku.connect(running.url, Secret(running.token)) as heroku:
        try:
            if follow:
                heroku.logs.follow(app, console.quote, lines=lines)
                return
            for line in heroku.logs.lines(app, lines):
                console.quote(line)
        except NotFound as error:
            names = [each.name for each in heroku.apps.list()]
            if app in names:
                raise
            hint = f"one of: {', '.join(names)}" if names else "it has none yet; make some: herodeploy apply"
            raise UsageError(f"no app '{app}' on the local platform", hint=hint) from error


@local.command()
def reset(data: Data = None, yes: Yes = False) -> None:
    """Stop the local platform and delete all it holds: apps, releases, logs."""
    from herodeploy.local import control

    folder = data_folder(data)
    if not yes:
        if not console.someone_is_there():
            raise UsageError("nobody is there to ask", hint="say it with --yes")
        if not console.agrees(f"Delete everything in {folder}?"):
            raise typer.Exit(int(ExitCode.NO))
    with local_errors():
        control.stop(folder)
        control.reset(folder)
    console.say(f"deleted {folder}")


for command in (local_rehearsal.fault, local_rehearsal.faults, local_rehearsal.requests, local_rehearsal.clock):
    local.command()(command)


def _running(folder: Path) -> Running:
    from herodeploy.local import control

    with local_errors():
        running = control.find(folder)
    if running is None:
        raise PlatformUnreachable("the local platform does not run", hint="start it: herodeploy local start")
    return running


def _json(running: Running) -> dict[str, Any]:
    return {
        "running": True,
        "url": running.url,
        "port": running.port,
        "pid": running.pid,
        "data": str(running.data),
    }


def _ask(running: Running, path: str) -> Any:
    from herodeploy.local import loopback

    try:
        return loopback.ask(running.url, running.token, "GET", path)
    except (OSError, loopback.Answered) as error:
        raise PlatformUnreachable(
            f"cannot reach {running.url}: {error}", hint="start it anew: herodeploy local stop; herodeploy local start"
        ) from error
