"""``herodeploy review``: one app for each branch."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.layout import age
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform, Yes
from herodeploy.cli.surroundings import services_of
from herodeploy.errors import UsageError

review = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@review.callback()
def topic() -> None:
    """Make, list, destroy and sweep review apps."""


@review.command()
def create(
    wanted: Annotated[
        str | None, typer.Argument(metavar="BRANCH", help="The branch.", show_default="the current one")
    ] = None,
    branch: Annotated[
        str | None, typer.Option("--branch", "-b", metavar="BRANCH", help="The same, as an option.")
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Make the review app of a branch, or bring its newest commit to the one that is there; print its URL."""
    from herodeploy.flows import review as flow

    if wanted and branch and wanted != branch:
        raise UsageError(f"'{wanted}' and '{branch}' are two branches", hint="name one of them")
    branch = wanted or branch
    with services_of(directory, config, platform) as services:
        change = services.repo.resolve(branch) if branch else services.repo.head()
        if branch and change.branch is None:
            change = dataclasses.replace(change, branch=branch)
        view = flow.create(services, change)
    if json:
        console.say_json(view.to_json())
    else:
        console.say(view.url or view.app or "")


@review.command("list")
def list_(directory: Directory = HERE, config: Config = None, platform: Platform = None, json: Json = False) -> None:
    """List the review apps."""
    from herodeploy.flows import review as flow

    with services_of(directory, config, platform) as services:
        views = flow.list_(services)
    if json:
        console.say_json({"review_apps": [view.to_json() for view in views]})
    elif not views:
        console.say("there are no review apps")
    else:
        rows = [
            (view.branch, view.app or "", view.status, (view.commit or "")[:8], age(view.created_at)) for view in views
        ]
        console.table(("BRANCH", "APP", "STATUS", "COMMIT", "MADE"), rows, flexible=0)
        console.say()
        for view in views:
            if view.url:
                console.say(f"{view.app}: {view.url}")


@review.command()
def destroy(
    branch: Annotated[str, typer.Argument(metavar="BRANCH", help="The branch, or the app's name.")],
    yes: Yes = False,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Destroy the review app of a branch, with its data."""
    from herodeploy.flows import review as flow

    if not yes:
        if not console.someone_is_there():
            raise UsageError("nobody is there to ask", hint="say it with --yes")
        if not console.agrees(f"Destroy the review app of {branch}, with its data?"):
            raise typer.Exit(1)
    with services_of(directory, config, platform) as services:
        view = flow.destroy(services, branch)
    if json:
        console.say_json(view.to_json())
    else:
        console.say(f"destroyed {view.app or view.branch}")


@review.command()
def sweep(
    gone: Annotated[
        bool,
        typer.Option(
            "--gone",
            help="Also those whose branch neither this repository nor its remotes have any more; "
            "`git fetch --prune` first, in a clone of all branches.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Destroy nothing, tell what would be.")] = False,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Destroy the review apps that had no new build for longer than review.ttl, with their data; asks nothing."""
    from herodeploy.flows.sweep import sweep as flow

    with services_of(directory, config, platform) as services:
        swept = flow(services, gone=gone, dry_run=dry_run)
    if json:
        console.say_json({"dry_run": dry_run, "review_apps": [each.to_json() for each in swept]})
        return
    if not swept:
        console.say("no review app is stale")
    for each in swept:
        done = "would destroy" if dry_run else "destroyed"
        console.say(f"{done} {each.view.app or each.view.branch}: {each.why}")
