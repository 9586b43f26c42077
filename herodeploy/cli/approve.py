"""``herodeploy approve`` and ``herodeploy reject``: a person's yes or no."""

from __future__ import annotations

from typing import Annotated

import typer

from herodeploy.cli import deliveries
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import in_turn, resumable, services_of

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
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Say yes to a delivery that waits, and carry it on.

    The yes is for the very slug that was verified, and for the stage that the delivery waits to enter.
    """
    from herodeploy.app import worker
    from herodeploy.flows import deliver as flow

    with services_of(directory, config, platform) as services:
        approved = flow.approve(services, delivery, comment=comment)
        carrying_on = in_turn(worker(services), "herodeploy resume")
        with resumable(f"delivery {approved.id}, with its approval,"), carrying_on as engine:
            approved = flow.advance(services, engine, approved)
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
