"""Holds: automatic moves into a stage pause while a person wants an older release there."""

from __future__ import annotations

from typing import Any

from herodeploy.domain.event import Event
from herodeploy.domain.lock import Hold
from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.snapshot import plain
from herodeploy.flows.services import Services

LOOK_BACK = 100
GOOD = ("succeeded", "expired")


def begin(services: Services, stage: StageSpec, event: Event, why: str | None) -> None:
    """Write the event of a move by hand; with a reason the stage is held from that very moment, or neither is.

    Parameters:
        why: why automatic moves pause; None where they need not.
    """
    if why is None:
        services.store.record_event(event)
        return
    hold = Hold(services.pipeline().id, stage.name, services.actor, why, services.clock())
    services.store.locks.set_hold(hold, event)
    services.tell(
        "info", f"automatic promotion pauses; go on with: herodeploy resume-auto {stage.name}", leg=stage.name
    )


def lift(services: Services, stage: str, because: str | None = None) -> str | None:
    """End the hold on a stage and forget which commits were taken back from it.

    Returns:
        what has ended, in a sentence; None where nothing was held.

    Raises:
        UsageError: there is no such stage.
    """
    name, pipeline_id = services.stage(stage).name, services.pipeline().id
    hold = services.store.locks.hold(pipeline_id, name)
    whose = f"; {hold.by} had put an older release there ({hold.why})" if hold else ""
    text = f"automatic promotion into {name} goes on" + (f": {because}" if because else "") + whose
    lifted = services.store.locks.lift_hold(pipeline_id, name, services.event("hold.lifted", text, stage=name))
    return text if lifted else None


def lift_for_newest(
    services: Services, stage: StageSpec, slug_id: str, because: str, commit: str | None = None
) -> None:
    """End the hold on a stage where an artifact was put that nothing upstream is newer than, and the marks there.

    Parameters:
        commit: of a delivery that was let in. That other commits are marked there was no matter to it, and stays so.
    """
    if not services.store.locks.pauses(services.pipeline().id, stage.name, commit):
        return
    order = built_in_order(services, stage)
    if order and order[-1] == slug_id:
        lift(services, stage.name, because)
        services.tell("info", f"automatic promotion goes on: {because}", leg=stage.name)


def is_older(order: list[str], slug_id: str, *there: str | None) -> bool:
    """Whether an artifact was built before one of those that a stage has; one that nobody knows is taken for older."""
    known = {slug: at for at, slug in enumerate(order)}
    return any(known.get(slug_id, -1) < known.get(slug or "", -1) for slug in there)


def built_in_order(services: Services, stage: StageSpec) -> list[str]:
    """Return the artifacts that were ready to enter a stage, the first to be so first, whichever came back since."""
    before = services.spec.before(stage.name)
    app = (before or stage).apps[0]
    releases = services.heroku.releases.list(app, limit=LOOK_BACK)
    good = (each.slug_id for each in reversed(releases) if each.slug_id and each.status in GOOD)
    return list(dict.fromkeys(good))


def hold_json(hold: Hold) -> dict[str, Any]:
    """Return plain JSON values."""
    return dict(plain({"stage": hold.stage, "by": hold.by, "why": hold.why, "since": hold.since}))
