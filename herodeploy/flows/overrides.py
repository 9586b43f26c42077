"""A person's decision against a gate: recorded with its reason, beside what the gate says."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer, Override, Verdict
from herodeploy.errors import UsageError
from herodeploy.flows.approval import find
from herodeploy.flows.judge import OCCUPIED, artifact_of
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import at_gate, rejection, verdicts_now

RECENT = 50


def override(services: Services, gate: str, *, reason: str, delivery_id: str | None = None) -> Delivery:
    """Decide against a gate's WAIT or FAIL for one artifact in one stage; carry the delivery on with `deliver.advance`.

    A delivery that failed at a gate waits again afterwards.

    Parameters:
        gate: its name.
        delivery_id: as `approval.find` takes it; the newest that waits, or failed at a gate and may come
            back, unless given.

    Raises:
        UsageError: no such delivery or gate, the gate passes, no reason is given, or a newer delivery has come as far.
    """
    if not reason.strip():
        raise UsageError("an override wants a reason", hint="say it with --reason TEXT")
    delivery = _delivery(services, delivery_id)
    verdict = _verdict(services, delivery, gate)
    _record(services, delivery, verdict, reason.strip())
    return _reopen(services, delivery, verdict) if delivery.status is Status.FAILED else delivery


def overridable(services: Services, delivery: Delivery, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return those of a delivery's verdicts against which a person may decide."""
    if not at_gate(services, delivery):
        return []
    closed = [each for each in verdicts if not each.passes and each.kind != OCCUPIED]
    return [each for each in closed if _objection(services, delivery, each) is None]


def _delivery(services: Services, delivery_id: str | None) -> Delivery:
    if delivery_id is None:
        return _newest(services)
    delivery = find(services, delivery_id)
    if not at_gate(services, delivery):
        raise UsageError(f"{_place(delivery)}; no gate stands in its way", hint=_way_out(delivery))
    return delivery


def _newest(services: Services) -> Delivery:
    for delivery in services.store.deliveries(services.pipeline().id, limit=RECENT):
        if at_gate(services, delivery) and _overtaken_by(services, delivery) is None:
            return delivery
    raise UsageError("no delivery waits, and none that failed at a gate may come back", hint="see: herodeploy status")


def _place(delivery: Delivery) -> str:
    if delivery.status is Status.FAILED:
        return f"delivery {delivery.id} failed in its leg at {delivery.at_stage}"
    return f"delivery {delivery.id} is {delivery.status}"


def _way_out(delivery: Delivery) -> str:
    if delivery.status is Status.FAILED:
        return f"try that commit again: herodeploy deliver --retry {delivery.short}"
    resumable = delivery.status in (Status.RUNNING, Status.ERRORED)
    return "carry it on: herodeploy resume" if resumable else "see: herodeploy status"


def _verdict(services: Services, delivery: Delivery, gate: str) -> Verdict:
    verdicts = [each for each in verdicts_now(services, delivery) if each.kind != OCCUPIED]
    verdict = next((each for each in verdicts if each.name == gate), None)
    if verdict is None:
        names = ", ".join(each.name for each in verdicts)
        raise UsageError(f"no gate '{gate}' stands before {delivery.at_stage}", hint=f"one of: {names}")
    if verdict.answer is Answer.PASS:
        raise UsageError(
            f"gate '{gate}' says PASS to {delivery.short} ({verdict.reason})",
            hint=f"see what stands in its way: herodeploy why {delivery.id}",
        )
    if (objection := _objection(services, delivery, verdict)) is not None:
        raise objection
    return verdict


def _objection(services: Services, delivery: Delivery, verdict: Verdict) -> UsageError | None:
    """Return why a gate that does not pass cannot be overridden, if so."""
    no = rejection(services, delivery)
    if no is not None and verdict.kind != no.kind:
        return UsageError(
            f"{delivery.id} ({delivery.short}) was {no.reason}",
            hint=f"decide against that: herodeploy override {no.name} --reason TEXT --delivery {delivery.id}",
        )
    if (newer := _overtaken_by(services, delivery)) is not None:
        return UsageError(
            f"{newer.id} ({newer.short}) is newer and has come as far as {delivery.id}",
            hint=f"to put {delivery.short} there nevertheless, see: herodeploy rollback --help",
        )
    return None


def _overtaken_by(services: Services, delivery: Delivery) -> Delivery | None:
    """Return a newer delivery that has passed all that this one, which failed, has: it would take its place back."""
    if delivery.status is not Status.FAILED:
        return None
    names = [stage.name for stage in services.spec.stages]
    ahead = names[names.index(delivery.at_stage) :] if delivery.at_stage in names else []
    for newer in services.store.deliveries(delivery.pipeline_id, limit=RECENT):
        if newer.id <= delivery.id:
            break
        if newer.status is Status.DELIVERED or (not newer.status.ended and newer.at_stage in ahead):
            return newer
    return None


def _record(services: Services, delivery: Delivery, verdict: Verdict, reason: str) -> None:
    now = services.clock()
    decision = Override(
        id=uuid.uuid4().hex,
        delivery_id=delivery.id,
        stage=delivery.at_stage,
        slug_id=artifact_of(delivery),
        gate=verdict.name,
        by=services.actor,
        # The clock of who locked may be ahead of ours.
        at=max(now, verdict.in_the_way_since or now),
        reason=reason,
    )
    said = verdict.said or verdict.answer
    text = f"overrode gate {verdict.name}, which says {said}, before {delivery.at_stage} for {delivery.short}: {reason}"
    data: dict[str, object] = {"gate": verdict.name, "said": said.value, "says": verdict.reason, "reason": reason}
    event = services.event("gate.overridden", text, delivery_id=delivery.id, stage=delivery.at_stage, data=data)
    services.store.gates.add_override(decision, event)


def _reopen(services: Services, delivery: Delivery, verdict: Verdict) -> Delivery:
    reason = f"gate {verdict.name} was overridden"
    text = f"{delivery.short} waits again: {reason}"
    event = services.event("delivery.reopened", text, delivery_id=delivery.id, stage=delivery.at_stage)
    return services.store.move(delivery.id, event=event, expect=Status.FAILED, status=Status.WAITING, reason=reason)
