"""``herodeploy promote``: the push-button alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Config, Directory, Json, Platform
from herodeploy.cli.surroundings import services_of
from herodeploy.cli.turn import take_turn
from herodeploy.errors import UsageError

if TYPE_CHECKING:
    from herodeploy.domain.promotion import PlannedTarget, PromotionPlan
    from herodeploy.flows.promote import PromotionView

promote = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@promote.command("promote")
def run(
    stage: Annotated[
        str | None, typer.Argument(metavar="STAGE", help="The stage to promote into.", show_default="the last one")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="APP", help="Only this app of the stage; repeat it for several.", show_default="all"),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="The artifact of the last promotion, into the apps that lack it.")
    ] = False,
    release: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Of the app before, such as v12.", show_default="the current one"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and what would refuse it, and do nothing.")
    ] = False,
    override: Annotated[
        bool, typer.Option("--override", help="Go past gates that say WAIT or FAIL; wants --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why to override; kept in the history.")] = None,
    lock_wait: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="Wait so long, such as 10m, while another herodeploy works on the pipeline, a delivery holds the "
            "stage or somebody has locked it.",
            show_default="leave at once, saying who it is",
        ),
    ] = None,
    directory: Directory = HERE,
    config: Config = None,
    platform: Platform = None,
    json: Json = False,
) -> None:
    """Promote the exact release of the stage before, now, and verify it.

    You are the gate: no other is asked, but for those that hold for people, too. A lock is one, unless it is your own.
    """
    from herodeploy.app import exclusive
    from herodeploy.flows import by_hand
    from herodeploy.flows import promote as flow
    from herodeploy.flows.choose import Wish

    why = by_hand.check_reason(override, reason)
    if retry_failed and release is not None:
        raise UsageError("--retry-failed and --release are two artifacts", hint="name one of them")
    wish = Wish(stage, tuple(only or ()), retry_failed, release)
    with services_of(directory, config, platform) as services:
        if dry_run:
            _show_plan(flow.plan(services, wish, override=why), json=json)
            return
        command = wish.command(override=override, reason=why)
        view = take_turn(
            services, exclusive, command, lock_wait, lambda _: flow.promote(services, wish=wish, override=why)
        )
    _show(view, json=json)


def _show(view: PromotionView, *, json: bool) -> None:
    if json:
        console.say_json(view.to_json())
        return
    if view.already:
        versions = view.apps.items()
        which = ", ".join(f"{app} v{version}" if len(versions) > 1 else f"v{version}" for app, version in versions)
        console.say(f"{view.stage} runs it already ({which})")
        return
    commit = f" ({view.commit[:8]})" if view.commit else ""
    console.say(f"promoted {view.source_app} v{view.release_version}{commit} to {view.stage}")
    for app, version in view.apps.items():
        console.say(f"  {app}: v{version}")


def _show_plan(plan: PromotionPlan, *, json: bool) -> None:
    if json:
        console.say_json(plan.to_json())
        return
    console.say(f"would promote {plan.what}")
    for wave in plan.waves:
        console.say(f"  wave {wave.number} of {len(plan.waves)}: {', '.join(map(_planned, wave.targets))}")
    for line in plan.then:
        console.say(f"  {line}")
    for refusal in plan.refused_by:
        console.say(f"but {refusal.by}: {refusal.reason}")
    console.say("nothing is changed")


def _planned(target: PlannedTarget) -> str:
    if target.has_it:
        return f"{target.app} (has it already, v{target.version})"
    return (
        f"{target.app} (v{target.version} serves)" if target.version is not None else f"{target.app} (serves nothing)"
    )
