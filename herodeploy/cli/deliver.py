"""``herodeploy deliver`` and ``herodeploy resume``: carry commits from CI to production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console, deliveries
from herodeploy.cli.carrying import Wait, carry_on, look_again_at_all
from herodeploy.cli.options import HERE, Config, Directory, Json, LockWait, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.cli.turn import take_turn
from herodeploy.domain.command import again

if TYPE_CHECKING:
    from herodeploy.forge.git import Repository

deliver = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
resume = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
SHOWN_FILES = 3


@deliver.command("deliver")
def run(
    ref: Annotated[str, typer.Argument(metavar="REF", help="The commit, branch or tag to deliver.")] = "HEAD",
    retry: Annotated[
        bool,
        typer.Option(
            "--retry",
            help="Try a commit again that was rejected, or whose tests, deploy, promotion or verification failed.",
        ),
    ] = False,
    lock_wait: LockWait = None,
    wait: Wait = True,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Deliver a commit: CI, the first stage, gates, and on from stage to stage.

    A delivery that must wait, such as for an approval, ends the command with exit code 0 and is picked up by approve,
    mode, resume or the next deliver. So is one that was cut: by Ctrl-C, a lost network or a stopped machine. A commit
    that failed or was rejected is not tried again, unless you ask for it; then it keeps its build where the first stage
    runs that, verified and newest. To have it built anew, commit anew: git commit --allow-empty.
    """
    from herodeploy.app import worker
    from herodeploy.flows.deliver import start_delivery

    with services_of(directory, config, platform) as services:
        change = services.repo.resolve(ref)
        if ref == "HEAD":
            _tell_dirty(services.repo)
        given = again("deliver", None if ref == "HEAD" else ref, retry=retry)
        command = f"{given}, or herodeploy resume"
        delivery = carry_on(
            services,
            lambda: start_delivery(services, change, retry=retry),
            turn=lambda act: take_turn(services, worker, command, lock_wait, act),
            will_wait=lock_wait is not None,
            wait=wait,
        )
        deliveries.show(services, delivery, json=json)
    deliveries.leave(delivery)


@resume.command("resume")
def run_resume(
    wait: Wait = True,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Carry on every delivery that was cut, and look again at those that wait."""
    from herodeploy.domain.delivery import Status

    with services_of(directory, config, platform) as services:
        looked_at = look_again_at_all(services, wait=wait)
        if json:
            console.say_json({"deliveries": [deliveries.delivery_json(each) for each in looked_at]})
        elif not looked_at:
            console.say("nothing is open")
        else:
            for delivery in looked_at:
                deliveries.show(services, delivery, json=False)
    deliveries.leave(*(each for each in looked_at if each.status is not Status.SUPERSEDED))


def _tell_dirty(repository: Repository) -> None:
    changed = repository.dirty()
    if changed:
        names = ", ".join(changed[:SHOWN_FILES]) + (", ..." if len(changed) > SHOWN_FILES else "")
        console.warn(f"not part of the commit, and not delivered: {names}")
