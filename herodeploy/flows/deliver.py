"""A change's journey: tested, deployed to the first stage, let through by gates, promoted from stage to stage."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.engine.port import Engine, Leg
from herodeploy.errors import (
    Busy,
    HerodeployError,
    PlatformUnreachable,
    Refused,
    StoreError,
)
from herodeploy.flows import baseline, between_waves, ci, deploy, half_way, holds, plain, promote_leg
from herodeploy.flows.approval import approve, find, reject
from herodeploy.flows.judge import judge
from herodeploy.flows.moves import LEG_STARTED, is_overtaken
from herodeploy.flows.occupancy import enter
from herodeploy.flows.reopen import ask_again, goes_back, try_again
from herodeploy.flows.services import Services
from herodeploy.flows.start import start_delivery
from herodeploy.flows.supersede import has_a_place, supersede_older
from herodeploy.flows.verified import record_verified
from herodeploy.flows.waves import failed

__all__ = ["advance", "approve", "find", "legs", "reject", "resume", "start_delivery"]

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)


def legs(services: Services) -> dict[str, Leg]:
    """Return the legs of a delivery by name, for an engine."""
    return {
        "test": lambda run, payload: ci.ci_leg(services, run, payload),
        "deploy": lambda run, payload: deploy.deploy(services, run, payload),
        "promote": lambda run, payload: promote_leg.promote_leg(services, run, payload),
    }


def advance(services: Services, engine: Engine, delivery: Delivery, *, asks: bool = True) -> Delivery:
    """Carry a delivery on until it has ended, waits or soaks, after those that run before it.

    `attend.stay` stays with what soaks.

    Parameters:
        asks: whether the actor asks for it now, knowing of their own locks.

    Raises:
        PlatformError: the platform or the network broke; the delivery is *errored* and can be carried on later.
        Busy: another delivery holds the stage.
    """
    for cut in services.store.open_deliveries(delivery.pipeline_id, before=delivery.id):
        if cut.status is not Status.RUNNING:
            continue
        if not has_a_place(services, cut):
            services.tell(
                "warning", f"{cut.id} ({cut.short}) is on its way into {cut.at_stage}, which is no stage any more"
            )
            continue
        if not cut.soaks:
            services.tell("info", f"carrying on {cut.id} ({cut.short}), which was cut")
        carry(services, engine, cut)
    if asks:
        services.store.due.ask(delivery.id, services.actor)
    # What was carried on may have superseded this one.
    return carry(services, engine, services.store.delivery(delivery.id) or delivery)


def resume(services: Services, engine: Engine) -> list[Delivery]:
    """Look at all open deliveries again: cut, errored and waiting ones, oldest first.

    One that errors again is told and left as it is.

    Raises:
        PlatformUnreachable: there is no platform to go on with.
    """
    looked_at = []
    for listed in services.store.open_deliveries(services.pipeline().id):
        delivery = services.store.delivery(listed.id) or listed
        if delivery.status.ended:
            continue
        services.tell("info", f"carrying on {delivery.id} ({delivery.short}), {delivery.status}")
        looked_at.append(carry_or_tell(services, engine, delivery).id)
    # A later one may have superseded an earlier one.
    return [each for each in map(services.store.delivery, looked_at) if each is not None]


def carry(services: Services, engine: Engine, delivery: Delivery) -> Delivery:
    """Carry one delivery on until it has ended, waits or soaks; errors as of `advance`."""
    while not delivery.status.ended:
        if delivery.status is Status.WAITING:
            delivery = judge(services, delivery)
            if delivery.status is Status.WAITING:
                break
            continue
        if delivery.status is Status.ERRORED:
            delivery = try_again(services, delivery)
            continue
        delivery = _leg(services, engine, delivery)
        if delivery.soaks:
            break
    return delivery


def carry_or_tell(services: Services, engine: Engine, delivery: Delivery) -> Delivery:
    """Carry one delivery on; one that cannot go on is told and left as it is.

    Raises:
        PlatformUnreachable: there is no platform to go on with.
    """
    try:
        return carry(services, engine, delivery)
    except PlatformUnreachable:
        raise
    except HerodeployError as error:
        services.tell("warning", f"{delivery.id} cannot go on: {error.message}")
        return services.store.delivery(delivery.id) or delivery


def pause_after(attempt: int) -> timedelta:
    """Return how long a worker leaves a delivery alone whose attempt of that number errored: longer each time."""
    doublings = min(attempt - 1, 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _leg(services: Services, engine: Engine, delivery: Delivery) -> Delivery:
    name = _leg_name(services, delivery)
    soaked = between_waves.soaked(services, delivery) if name == "promote" else {}
    if soaked and (stays := between_waves.look(services, delivery, soaked["soaked"])) is not None:
        return stays
    try:
        if name != TEST_LEG:
            enter(services, delivery.at_stage, delivery.id)
        payload, leg_id = _payload(services, delivery), delivery.leg_id
        if soaked:
            # With the crash, if one was found just now.
            payload |= between_waves.soaked(services, delivery)
            leg_id += f"/wave-{soaked['soaked']['wave'] + 1}"
        services.tell("leg", f"{name} {delivery.short}", leg=delivery.at_stage)
        outcome = engine.run(leg_id, name, payload)
    except Busy:
        raise
    except Refused as no:
        outcome = failed(no.message)
    except Exception as error:
        _errored(services, delivery, error)
        raise
    return _after(services, delivery, outcome)


def _leg_name(services: Services, delivery: Delivery) -> str:
    if delivery.at_stage == TEST_LEG:
        return TEST_LEG
    return "deploy" if services.stage(delivery.at_stage).name == services.spec.first.name else "promote"


def _payload(services: Services, delivery: Delivery) -> dict[str, Any]:
    before = _before(services, delivery)
    common = {"pipeline_id": delivery.pipeline_id, "delivery_id": delivery.id, "attempt": delivery.attempt}
    change = {"commit": delivery.commit, "branch": delivery.branch, "message": delivery.message}
    if delivery.at_stage == TEST_LEG:
        return {**common, **change, **before}
    source = {
        "slug_id": delivery.slug_id,
        "source_app_id": delivery.source_app_id,
        "source_release_id": delivery.source_release_id,
    }
    return {**common, **change, **source, **before, "move": delivery.move}


def _before(services: Services, delivery: Delivery) -> dict[str, Any]:
    """Return what was there before the first attempt of this leg, recorded once in the audit log.

    Once more where another move has come into the stage since: the way back must not lead past what a person did.
    """
    if (begun := half_way.begun(services, delivery)) is not None and not _begins_anew(services, delivery):
        return dict(begun.data)
    before: dict[str, Any]
    if delivery.at_stage == TEST_LEG:
        before = {"ci_before": ci.newest_number(services)}
    else:
        stage = services.stage(delivery.at_stage)
        builder = stage.apps[0] if stage.name == services.spec.first.name else None
        before = {
            "stage": plain.stage_to_json(stage),
            "baseline": baseline.take(services, stage, builder=builder),
        }
    event = _event(services, delivery, LEG_STARTED, f"{delivery.short} enters {delivery.at_stage}", before)
    services.store.record_event(event)
    return {**before, "looked": services.looked()}


def _begins_anew(services: Services, delivery: Delivery) -> bool:
    if delivery.at_stage == TEST_LEG or goes_back(services, delivery):
        return False
    return is_overtaken(services, delivery)


def _errored(services: Services, delivery: Delivery, error: Exception) -> None:
    reason = error.message if isinstance(error, HerodeployError) else f"a fault of its own: {type(error).__name__}"
    event = _event(services, delivery, "delivery.errored", reason)
    again = event.at + pause_after(delivery.attempt)
    # With the store itself in trouble the delivery stays running, which is carried on as well.
    with suppress(StoreError):
        # Whoever asked for it has been told; from here on it goes on by itself.
        changes: dict[str, Any] = {"status": Status.ERRORED, "reason": reason, "recheck_at": again, "asked_by": None}
        services.store.move(delivery.id, event=event, expect=Status.RUNNING, **changes)


def _after(services: Services, delivery: Delivery, outcome: dict[str, Any]) -> Delivery:
    leg = delivery.at_stage
    if outcome["outcome"] == "soaking":
        return between_waves.begin(services, delivery, outcome)
    if outcome["outcome"] == "halted":
        return ask_again(services, delivery, outcome["reason"])
    if outcome["outcome"] != "succeeded":
        return _failed(services, delivery, outcome)
    if leg == TEST_LEG:
        return _tested(services, delivery, outcome)
    record_verified(services, leg, outcome, delivery.commit, delivery.id)
    # A held stage is entered by what a person said yes to, and by nothing else.
    let_in = f"{delivery.short} was let in"
    holds.lift_for_newest(services, services.stage(leg), outcome["slug_id"], let_in, delivery.commit)
    kind = "deploy.succeeded" if leg == services.spec.first.name else "promotion.succeeded"
    versions = ", ".join(f"{app} v{got['version']}" for app, got in outcome["releases"].items())
    services.tell("done", f"{delivery.short} runs in {leg}", leg=leg)
    changes = {
        "slug_id": outcome["slug_id"],
        "source_app_id": outcome["source_app_id"],
        "source_release_id": outcome["source_release_id"],
        "reason": None,
        "recheck_at": None,
    }
    following = _following(services, leg)
    data = {"releases": {app: got["version"] for app, got in outcome["releases"].items()}}
    event = _event(services, delivery, kind, f"{delivery.short} runs in {leg}: {versions}", data)
    # First of all: once this one has moved on, nobody would come back to what is left to be superseded.
    supersede_older(services, delivery, leg)
    if following is None:
        event = _event(services, delivery, "delivery.delivered", f"{delivery.short} is delivered: {versions}", data)
        return _move(services, delivery, event, status=Status.DELIVERED, **changes)
    return _move(services, delivery, event, status=Status.WAITING, at_stage=following, attempt=1, **changes)


def _failed(services: Services, delivery: Delivery, outcome: dict[str, Any]) -> Delivery:
    reason = outcome["reason"]
    ci_said = outcome.get("ci", "failed")
    kinds = {TEST_LEG: f"ci.{ci_said}", services.spec.first.name: "deploy.failed"}
    kind = kinds.get(delivery.at_stage, "promotion.failed")
    changes = {"ci": ci_said} if delivery.at_stage == TEST_LEG else {}
    event = _event(services, delivery, kind, reason)
    return _move(services, delivery, event, status=Status.FAILED, reason=reason, recheck_at=None, **changes)


def _tested(services: Services, delivery: Delivery, outcome: dict[str, Any]) -> Delivery:
    first = services.spec.first
    number = outcome.get("number")
    text = f"CI {outcome['ci']}" + (f" in test run #{number}" if number else "")
    event = _event(services, delivery, f"ci.{outcome['ci']}", text, {"number": number})
    return _move(services, delivery, event, status=Status.WAITING, at_stage=first.name, attempt=1, ci=outcome["ci"])


def _following(services: Services, stage: str) -> str | None:
    names = [each.name for each in services.spec.stages]
    at = names.index(stage) + 1
    return names[at] if at < len(names) else None


def _move(services: Services, delivery: Delivery, event: Event, **changes: Any) -> Delivery:
    return services.store.move(delivery.id, event=event, expect=Status.RUNNING, **changes)


def _event(services: Services, delivery: Delivery, kind: str, text: str, data: dict[str, Any] | None = None) -> Event:
    return services.event(kind, text, delivery_id=delivery.id, stage=delivery.at_stage, data=data)
