"""``herodeploy status``: where everything stands, and what waits for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from herodeploy.cli import console
from herodeploy.cli.deliveries import say_answers, say_verdicts
from herodeploy.cli.layout import age, until
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of

if TYPE_CHECKING:
    from herodeploy.domain.snapshot import AppView, DeliveryView, PipelineSnapshot, StageView

status = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@status.command("status")
def run(directory: Directory = HERE, config: Config = None, platform: Platform = None, json: Json = False) -> None:
    """Show the stages with their releases and commits, the deliveries, and what waits for what."""
    from herodeploy.flows import status as flow

    with services_of(directory, config, platform) as services:
        snapshot = flow.snapshot(services)
    if json:
        console.say_json(snapshot.to_json())
        return
    _head(snapshot)
    _stages(snapshot)
    _deliveries(snapshot)
    _reviews(snapshot)


def _head(snapshot: PipelineSnapshot) -> None:
    who = f", switched by {snapshot.mode.by} {age(snapshot.mode.at)}" if snapshot.mode.by else ""
    console.say_styled((snapshot.pipeline, "bold"), (f" on {snapshot.platform}", ""))
    console.say(f"mode: {snapshot.mode.mode.value}{who}")


def _stages(snapshot: PipelineSnapshot) -> None:
    rows = [_app_row(stage, app) for stage in snapshot.stages for app in stage.apps]
    console.say()
    console.table(("STAGE", "APP", "RELEASE", "COMMIT", "VERIFIED", "DYNOS", "SINCE"), rows, flexible=1)
    for stage in snapshot.stages:
        for app in stage.apps:
            if app.newest_version and app.newest_version != app.version and app.newest_status != "succeeded":
                console.say(f"{app.name}: v{app.newest_version} {app.newest_status}; v{app.version or '-'} serves")
    _kept_out(snapshot)
    addresses = [app for stage in snapshot.stages for app in stage.apps if app.url and app.slug_id]
    if addresses:
        console.say()
    for app in addresses:
        console.say(f"{app.name}: {app.url}")


def _kept_out(snapshot: PipelineSnapshot) -> None:
    there = {lock.id: lock for stage in snapshot.stages for lock in stage.locks}
    holds = [stage.hold for stage in snapshot.stages if stage.hold]
    if there or holds:
        console.say()
    for lock in there.values():
        ends = f" until {until(lock.until)}" if lock.until else ""
        lead = f"{'warning:' if lock.warning else 'locked:'} {lock.scope}, "
        console.say_hanging(f"by {lock.by} {age(lock.since)}{ends}: {lock.why} ({lock.id})", (lead, "yellow"))
    for hold in holds:
        way_on = f"go on with: herodeploy resume-auto {hold.stage}"
        console.say_hanging(
            f"by {hold.by} {age(hold.since)}: {hold.why}; {way_on}", (f"held: {hold.stage}, ", "yellow")
        )


def _app_row(stage: StageView, app: AppView) -> tuple[str, ...]:
    if not app.exists:
        return (stage.name, app.name, "missing", "", "", "", "")
    dynos = ", ".join(f"{count} {state}" for state, count in sorted((app.dynos or {}).items()))
    verified = "yes" if app.verified else "no"
    if app.slug_id is None:
        return (stage.name, app.name, "", "", "", dynos, "")
    return (stage.name, app.name, f"v{app.version}", (app.commit or "")[:8], verified, dynos, age(app.released_at))


def _deliveries(snapshot: PipelineSnapshot) -> None:
    if not snapshot.deliveries:
        console.say()
        console.say("no deliveries yet; begin with: herodeploy deliver")
        return
    console.say()
    rows = [_delivery_row(view) for view in snapshot.deliveries]
    console.table(("DELIVERY", "COMMIT", "CI", "STATUS", "AT", "MESSAGE"), rows, flexible=5)
    for view in snapshot.deliveries:
        _waits(view)


def _delivery_row(view: DeliveryView) -> tuple[str, ...]:
    delivery = view.delivery
    message = delivery.message.partition("\n")[0]
    return (
        delivery.id,
        delivery.short,
        delivery.ci or "",
        delivery.status.value,
        delivery.at_stage,
        message,
    )


def _waits(view: DeliveryView) -> None:
    delivery = view.delivery
    if delivery.status.value == "waiting":
        console.say()
        console.say(f"{delivery.id} waits to enter {delivery.at_stage}:")
        say_verdicts(view.verdicts)
        say_answers(delivery, view.verdicts, told=" ".join(each.reason for each in view.verdicts))
    elif delivery.status.value in ("running", "errored"):
        why = f": {delivery.reason}" if delivery.reason else ""
        console.say()
        console.say(f"{delivery.id} is {delivery.status.value} at {delivery.at_stage}{why}")
        console.say("  if nothing works on it, carry it on: herodeploy resume")


def _reviews(snapshot: PipelineSnapshot) -> None:
    if snapshot.review_apps:
        branches = ", ".join(f"{each.branch} ({each.status})" for each in snapshot.review_apps)
        console.say()
        console.say(f"review apps: {branches}")
