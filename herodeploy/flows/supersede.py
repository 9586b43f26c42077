"""What a newer delivery makes pointless: the older ones that have come no further."""

from __future__ import annotations

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.flows import half_way
from herodeploy.flows.services import Services


def supersede_older(services: Services, delivery: Delivery, passed: str) -> None:
    """End the older ones that wait or errored: this one has passed verification and makes them pointless.

    One that has come further is left alone, and so is one that is on its way into the following stage: to end it there
    would leave that stage half-way. One that was cut before a stage that is no more goes nowhere.

    Parameters:
        passed: the stage that this one has passed.
    """
    names = [stage.name for stage in services.spec.stages]
    later = names[names.index(passed) + 1 :]
    for older in services.store.open_deliveries(delivery.pipeline_id, before=delivery.id):
        if older.status is Status.RUNNING and has_a_place(services, older):
            continue
        if older.at_stage in later[1:] or (older.at_stage in later and half_way.begun(services, older) is not None):
            continue
        reason = f"superseded by {delivery.id} ({delivery.short})"
        text = f"{older.short} is {reason}"
        event = services.event("delivery.superseded", text, delivery_id=older.id, stage=older.at_stage)
        services.store.move(older.id, event=event, expect=older.status, status=Status.SUPERSEDED, reason=reason)
        services.tell("info", f"{older.id} ({older.short}) is superseded")


def has_a_place(services: Services, delivery: Delivery) -> bool:
    """Whether herodeploy.yml still has the stage that a delivery is at."""
    return delivery.at_stage in (TEST_LEG, *(stage.name for stage in services.spec.stages))
