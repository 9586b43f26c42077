"""What stopped on its way into a stage begins another attempt: the gates are asked again first."""

from __future__ import annotations

from typing import Any

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.flows.moves import last_of
from herodeploy.flows.put_back import WAVE_FAILED
from herodeploy.flows.services import Services


def try_again(services: Services, delivery: Delivery) -> Delivery:
    """Begin the next attempt of one that errored.

    CI has no gates. What is on its way back is asked nothing: its own lock is there by then.
    """
    stage = delivery.at_stage
    if stage != TEST_LEG and not goes_back(services, delivery):
        return ask_again(services, delivery)
    changes = _next_attempt(delivery)
    text = f"carried on at {stage}, attempt {changes['attempt']}"
    event = services.event("delivery.resumed", text, delivery_id=delivery.id, stage=stage)
    return services.store.move(delivery.id, event=event, expect=Status.ERRORED, status=Status.RUNNING, **changes)


def ask_again(services: Services, delivery: Delivery, because: str | None = None) -> Delivery:
    """Have a delivery wait for the gates once more: people may have locked the stage since they let it in."""
    stage = delivery.at_stage
    text = f"{delivery.short} asks the gates of {stage} again" + (f": {because}" if because else "")
    event = services.event("delivery.reopened", text, delivery_id=delivery.id, stage=stage)
    changes = _next_attempt(delivery)
    return services.store.move(delivery.id, event=event, expect=delivery.status, status=Status.WAITING, **changes)


def goes_back(services: Services, delivery: Delivery) -> bool:
    """Whether what it has brought into the stage is being put back, or was."""
    return last_of(services, delivery.at_stage, delivery.move, delivery.id, WAVE_FAILED) is not None


def _next_attempt(delivery: Delivery) -> dict[str, Any]:
    # A leg of the old name has ended, and all waves may have to begin anew.
    return {"attempt": delivery.attempt + 1, "reason": None, "recheck_at": None, "news": 0}
