"""How commands show a delivery, and the exit code that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from herodeploy.cli import console
from herodeploy.cli.layout import sentence, until
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer
from herodeploy.domain.snapshot import plain
from herodeploy.errors import ExitCode

if TYPE_CHECKING:
    from herodeploy.app import Services
    from herodeploy.domain.gate import Verdict

CODES = {
    Status.DELIVERED: ExitCode.YES,
    Status.WAITING: ExitCode.YES,
    Status.RUNNING: ExitCode.YES,
    Status.FAILED: ExitCode.NO,
    Status.SUPERSEDED: ExitCode.NO,
    Status.ERRORED: ExitCode.PLATFORM,
}


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return plain JSON values."""
    return dict(plain(asdict(delivery)))


def show(services: Services, delivery: Delivery, *, json: bool) -> None:
    """Print how a delivery stands and what a person may do about it."""
    if json:
        console.say_json(delivery_json(delivery))
        return
    _line(delivery)
    if delivery.status is Status.DELIVERED:
        for name in services.spec.stages[-1].apps:
            app = services.heroku.apps.find(name)
            if app is not None and (address := services.address(app)):
                console.say(f"  {name}: {address}")
    elif delivery.status is Status.WAITING:
        from herodeploy.flows.verdicts import verdicts_now

        verdicts = verdicts_now(services, delivery)
        say_answers(delivery, verdicts, told=delivery.reason or "")
        _say_carry_on(services, verdicts)
    elif delivery.status is Status.ERRORED:
        _say_tried_again(services)
    elif delivery.status is Status.FAILED:
        from herodeploy.flows.verdicts import failed_at_gate

        if not failed_at_gate(services, delivery):
            console.say(f"  {try_again(delivery)}")


def try_again(delivery: Delivery) -> str:
    """Return how a commit that failed is tried once more."""
    return f"try that commit again: herodeploy deliver --retry {delivery.short}"


def say_answers(delivery: Delivery, verdicts: Sequence[Verdict], *, told: str) -> None:
    """Print how to answer a delivery that waits.

    Parameters:
        verdicts: what its gates say now.
        told: what was printed already.
    """
    from herodeploy.flows.verdicts import wants_approval

    approve = f"herodeploy approve {delivery.id}"
    asked = wants_approval(verdicts)
    if asked and approve not in told:
        console.say(f"  approve it: {approve}")
    console.say(f"  {'or ' if asked else ''}refuse it: herodeploy reject {delivery.id}")


def say_verdicts(verdicts: Sequence[Verdict], *, again: Callable[[datetime], str] | None = None) -> None:
    """Print what gates say, a line each.

    Parameters:
        again: writes when a gate that waits is asked again; it is left out unless given.
    """
    width = max((len(verdict.answer) for verdict in verdicts), default=0)
    for verdict in verdicts:
        answer = verdict.answer.value
        reason = f"{verdict.name}: {verdict.reason}"
        if again and verdict.look_again_at and verdict.answer is Answer.WAIT:
            told = until(verdict.look_again_at) in sentence(reason)
            reason += "" if told else f" (asked again at {again(verdict.look_again_at)})"
        console.say_hanging(reason, ("  ", ""), (answer.ljust(width + 2), console.STYLES.get(answer, "")))


def leave(*deliveries: Delivery) -> None:
    """End the command with the exit code of the worst delivery."""
    codes = [CODES[delivery.status] for delivery in deliveries]
    worst = max(codes, default=ExitCode.YES)
    if worst is not ExitCode.YES:
        raise typer.Exit(int(worst))


def say_head(delivery: Delivery) -> None:
    """Print which delivery it is and where it stands."""
    where = "" if delivery.status is Status.DELIVERED else f" at {delivery.at_stage}"
    style = console.STYLES.get(delivery.status.value, "")
    head = f"{delivery.id}  {delivery.short}  "
    console.say_styled((head, ""), (delivery.status.value, style), (where, ""))


def _line(delivery: Delivery) -> None:
    say_head(delivery)
    if delivery.reason:
        console.say(f"  {delivery.reason}")


def _say_tried_again(services: Services) -> None:
    from herodeploy.app import standing_worker

    who = standing_worker(services)
    by_itself = f"{who}, the worker of this pipeline, tries it again; or " if who is not None else ""
    console.say(f"  {by_itself}carry it on: herodeploy resume")


def _say_carry_on(services: Services, verdicts: Sequence[Verdict]) -> None:
    """Print how it goes on where only time is wanted, and no worker stands by to see it pass."""
    from herodeploy.app import standing_worker
    from herodeploy.flows.verdicts import waits

    closed = waits(verdicts)
    if not closed or any(each.look_again_at is None for each in closed) or standing_worker(services) is not None:
        return
    ends = max((each.until for each in closed if each.until), default=None)
    after = f" after {until(ends)}" if ends else ""
    way_on = f"carry it on{after} with: herodeploy resume, or keep a worker running: herodeploy worker"
    console.say_hanging(way_on, ("  ", ""))
