"""``herodeploy why``, ``override`` and ``resume-auto``: what the gates say, and what a person decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console, deliveries
from herodeploy.cli.again import look_again
from herodeploy.cli.carrying import Wait, carry_on
from herodeploy.cli.layout import exact, until
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer

if TYPE_CHECKING:
    from herodeploy.flows.why import Explanation

why = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
override = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
resume_auto = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

WHICH = "Its id or the beginning of it, or of its commit; see status."


@why.command("why")
def run(
    delivery: Annotated[
        str | None,
        typer.Argument(metavar="DELIVERY", help=WHICH, show_default="the newest that is open, else the newest"),
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Say why a delivery is not in production, and until when: what each gate says, and what it says it on.

    Nothing is moved, and no gate looks at the world: what one saw last counts.
    """
    from herodeploy.flows import why as flow

    with services_of(directory, config, platform) as services:
        found = flow.why(services, delivery)
    if json:
        console.say_json(found.to_json())
        return
    deliveries.say_head(found.delivery)
    # What a gate says is told by its verdict.
    told = found.delivery.status is Status.WAITING or any(each.answer is Answer.FAIL for each in found.verdicts)
    if found.delivery.reason and not told:
        console.say(f"  {found.delivery.reason}")
    deliveries.say_verdicts(found.verdicts, again=None if found.delivery.status.ended else exact)
    for line in _ways_out(found):
        console.say(f"  {line}")


def _ways_out(found: Explanation) -> list[str]:
    delivery = found.delivery
    if delivery.status in (Status.RUNNING, Status.ERRORED):
        ends = [f"or end it: herodeploy rollback {delivery.at_stage}"] if delivery.soaks else []
        return ["if nothing works on it, carry it on: herodeploy resume", *ends]
    if delivery.status is Status.FAILED and (found.rejected or not found.at_gate):
        return [deliveries.try_again(delivery)]
    if delivery.status is Status.WAITING and found.answer is Answer.PASS:
        return ["every gate passes by now; carry it on: herodeploy resume"]
    times = [f"not before {until(found.not_before)}"] if found.not_before else []
    decide = [
        f"decide against a gate: herodeploy override {gate} --reason TEXT --delivery {delivery.id}"
        for gate in found.decide[:1]
    ]
    return [*times, *decide]


@override.command("override")
def run_override(
    gate: Annotated[str, typer.Argument(metavar="GATE", help="The gate's name; see why.")],
    reason: Annotated[str, typer.Option("--reason", "--why", metavar="TEXT", help="Why; kept with who and when.")],
    delivery: Annotated[
        str | None,
        typer.Option(
            metavar="DELIVERY", help=WHICH, show_default="the newest that waits, or failed at a gate and may come back"
        ),
    ] = None,
    wait: Wait = True,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Decide against a gate that says WAIT or FAIL, for one delivery's artifact in one stage, and carry it on.

    What the gate says stays beside your decision, and both are recorded. A delivery that failed at a gate waits again;
    one whose deploy, promotion or verification failed does not.
    """
    from herodeploy.flows import overrides

    with services_of(directory, config, platform) as services:
        decided = overrides.override(services, gate, reason=reason, delivery_id=delivery)
        carried = carry_on(services, lambda: decided, what="delivery {id}, with your decision,", wait=wait)
        deliveries.show(services, carried, json=json)
    deliveries.leave(carried)


@resume_auto.command("resume-auto")
def run_resume_auto(
    stage: Annotated[
        str | None, typer.Argument(metavar="STAGE", help="The stage that is held.", show_default="the last one")
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Let automatic promotion into a stage go on, after a person put an older release there.

    Commits that an automatic rollback took back from it may enter again, too. Deliveries that wait are looked at again.
    """
    from herodeploy.flows import holds as flow

    with services_of(directory, config, platform) as services:
        name = stage or services.spec.stages[-1].name
        lifted = flow.lift(services, name)
        if json:
            console.say_json({"stage": name, "lifted": lifted is not None})
        else:
            console.say(lifted or f"automatic promotion into {name} was not held")
        if lifted:
            look_again(services)
