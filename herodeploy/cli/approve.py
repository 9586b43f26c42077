"""``herodeploy approve`` and ``herodeploy reject``: a person's yes or no."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import deliveries
from herodeploy.cli.carrying import Wait, carry_on
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

approve = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
reject = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Which = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="Its id or the beginning of it, or of its commit; see status.")
]
Comment = Annotated[str | None, typer.Option("--comment", "-m", metavar="TEXT", help="Why; kept with the answer.")]


@approve.command("approve")
def run(
    delivery: Which,
    comment: Comment = None,
    wait: Wait = True,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Say yes to a delivery that waits, and carry it on.

    The yes is for the very slug that was verified, and for the stage that the delivery waits to enter.
    """
    from herodeploy.flows import deliver as flow

    with services_of(directory, config, platform) as services:
        said_yes = flow.approve(services, delivery, comment=comment)
        approved = carry_on(services, lambda: said_yes, what="delivery {id}, with its approval,", wait=wait)
        deliveries.show(services, approved, json=json)
    deliveries.leave(approved)


@reject.command("reject")
def run_reject(
    delivery: Which,
    comment: Comment = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Say no to a delivery that waits; that ends it."""
    from herodeploy.flows import deliver as flow

    with services_of(directory, config, platform) as services:
        deliveries.show(services, flow.reject(services, delivery, comment=comment), json=json)
