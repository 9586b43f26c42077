"""A delivery whose wave soaks: it holds its stage though nothing is under way, until it goes on or a person ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.flows import soak
from herodeploy.flows.moves import LEG_STARTED, ROLLBACKS, is_overtaken
from herodeploy.flows.services import Services


def soaking_in(services: Services, stage: str) -> Delivery | None:
    """Return the delivery that soaks in a stage."""
    found = services.store.due.running(services.pipeline().id)
    return next((each for each in found if each.soaks and each.at_stage == stage), None)


def soaked(services: Services, delivery: Delivery) -> dict[str, Any]:
    """Return where a leg goes on after a soak, as `soak.last`; nothing where another move into the stage came since.

    A delivery that came to rest otherwise may be let in again after that: all waves begin anew.
    """
    begun = services.store.audit.number_of_last(
        delivery.pipeline_id, delivery.at_stage, [LEG_STARTED], delivery_id=delivery.id
    )
    found = soak.last(services, delivery.at_stage, delivery.move, delivery.id, after=begun)
    anew = bool(found) and not delivery.soaks and is_overtaken(services, delivery)
    return {} if anew else found


def begin(services: Services, delivery: Delivery, outcome: Mapping[str, Any]) -> Delivery:
    """Note until when a wave soaks, `outcome` as of `soak.outcome`; nobody else may enter the stage meanwhile."""
    event = soak.event(services, delivery.at_stage, delivery.move, dict(outcome), delivery.id)
    changes: dict[str, Any] = {"reason": outcome["reason"], "recheck_at": services.clock()}
    soaks = services.store.move(delivery.id, event=event, expect=Status.RUNNING, **changes)
    return look(services, soaks, outcome) or services.store.delivery(delivery.id) or soaks


def look(services: Services, delivery: Delivery, soaked: Mapping[str, Any]) -> Delivery | None:
    """Look at what soaks; None where the next leg is to begin, now.

    Parameters:
        soaked: as of `soak.last`.

    Returns:
        the delivery, where it soaks on, or has ended as somebody rolled its stage back.
    """
    if delivery.soaks and (rollback := _rolled_back(services, delivery)) is not None:
        return end(services, delivery, rollback.actor)
    found = dict(soaked)
    if delivery.soaks:
        found = soak.look(services, delivery.at_stage, delivery.move, found, delivery.id)
    again = soak.next_look(services, found)
    if again is not None:
        services.store.occupy(delivery.pipeline_id, delivery.at_stage, delivery.id, services.clock())
    services.store.due.put_off(delivery.id, again)
    return (services.store.delivery(delivery.id) or delivery) if again is not None else None


def end(services: Services, delivery: Delivery, by: str, why: object = None) -> Delivery:
    """End a delivery that soaks, as somebody rolled its stage back.

    Raises:
        Busy: it soaks no more.
    """
    stage = delivery.at_stage
    reason = f"{by} rolled {stage} back while a wave soaked" + (f": {why}" if why else "")
    event = services.event("delivery.failed", reason, delivery_id=delivery.id, stage=stage, by=by)
    services.store.targets.skip(delivery.move)
    ended = services.store.move(
        delivery.id, event=event, expect=Status.RUNNING, status=Status.FAILED, reason=reason, recheck_at=None
    )
    services.tell("info", f"{delivery.id} ({delivery.short}) goes no further", leg=stage)
    return ended


def _rolled_back(services: Services, delivery: Delivery) -> Event | None:
    """Return the rollback by hand that has come since the soak began: the process that began it may have died."""
    audit, stage = services.store.audit, delivery.at_stage
    began = audit.number_of_last(delivery.pipeline_id, stage, [soak.SOAKING], delivery_id=delivery.id)
    return audit.last(delivery.pipeline_id, stage, ROLLBACKS, after=began)
