"""The button: a person's yes or no to one artifact in one stage."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from herodeploy.domain.approval import Approval
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Answer, Verdict
from herodeploy.errors import UsageError
from herodeploy.flows import half_way
from herodeploy.flows.judge import artifact_of, facts_of
from herodeploy.flows.services import Services
from herodeploy.gates.approval import KIND, sentence, void
from herodeploy.gates.evaluate import gates_for
from herodeploy.store.judging import Judged


def approve(services: Services, delivery_id: str, *, comment: str | None = None, by: str | None = None) -> Delivery:
    """Record a yes to what a delivery waits with; carry it on with `deliver.advance` afterwards.

    One that counts for nothing is told as such.

    Parameters:
        delivery_id: the id, its beginning, or the beginning of the commit.
        by: who says so; the actor unless given.

    Raises:
        UsageError: no such delivery, or it waits for nothing.
    """
    delivery = find_waiting(services, delivery_id)
    word, said = _word(services, delivery, comment, by or services.actor, approved=True)
    services.store.gates.add_approval(word, said)
    if (why := _void(services, delivery, word)) is not None:
        services.tell("warning", f"the yes of {word.by} is recorded and does not count: {why}", leg=delivery.at_stage)
    return delivery


def reject(services: Services, delivery_id: str, *, comment: str | None = None, by: str | None = None) -> Delivery:
    """Record a no, which ends the delivery as failed; parameters and errors as of `approve`.

    Raises:
        Busy: it waits no longer.
        UsageError: it is half-way into the stage, which would be left so.
        PlatformError: whether it is cannot be told.
    """
    delivery, who = find_waiting(services, delivery_id), by or services.actor
    if apps := half_way.brought(services, delivery):
        raise UsageError(
            f"delivery {delivery.id} is half-way into {delivery.at_stage}: {half_way.sentence(delivery, apps)}",
            hint=f"take it back first: herodeploy rollback {delivery.at_stage}",
        )
    word, said = _word(services, delivery, comment, who, approved=False)
    verdicts = _rejected(services.store.gates.verdicts(delivery.id, delivery.at_stage), word)
    event = services.event("delivery.failed", sentence(word), delivery_id=delivery.id, stage=delivery.at_stage, by=who)
    changes = {"status": Status.FAILED, "reason": event.text, "recheck_at": None}
    return services.store.judging.reject(Judged(delivery, verdicts, word.at, changes, event), word, said)


def find(services: Services, delivery_id: str) -> Delivery:
    """Return the one delivery that the beginning or end of its id, or the beginning of its commit, names.

    Of several, the one that is open is meant.

    Raises:
        UsageError: none or several are.
    """
    if not delivery_id.strip():
        # Every id begins with nothing; an empty variable of a script must approve nothing.
        raise UsageError("the delivery's id is empty", hint="see: herodeploy status")
    found = services.store.find_deliveries(services.pipeline().id, delivery_id)
    if len(found) > 1:
        found = [each for each in found if not each.status.ended] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no delivery '{delivery_id}' in {services.spec.name}", hint="see: herodeploy status")
    ids = ", ".join(each.id for each in found[:5])
    raise UsageError(f"'{delivery_id}' may mean several deliveries: {ids}", hint="give the whole id")


def find_waiting(services: Services, delivery_id: str) -> Delivery:
    """Return the delivery of that id, which must wait for an answer.

    Raises:
        UsageError: it does not.
    """
    delivery = find(services, delivery_id)
    if delivery.status is not Status.WAITING:
        resumable = delivery.status in (Status.RUNNING, Status.ERRORED)
        raise UsageError(
            f"delivery {delivery.id} is {delivery.status}; nothing waits for an approval",
            hint="carry it on: herodeploy resume" if resumable else "see: herodeploy status",
        )
    return delivery


def _word(
    services: Services, delivery: Delivery, comment: str | None, by: str, *, approved: bool
) -> tuple[Approval, Event]:
    word = Approval(
        id=uuid.uuid4().hex,
        delivery_id=delivery.id,
        stage=delivery.at_stage,
        slug_id=artifact_of(delivery),
        by=by,
        at=services.clock(),
        approved=approved,
        comment=comment,
    )
    kind, verb = ("approval.given", "approved") if approved else ("approval.refused", "rejected")
    text = f"{delivery.short} {verb} for {delivery.at_stage} by {by}" + (f": {comment}" if comment else "")
    data: dict[str, object] = {"slug_id": word.slug_id, "comment": comment}
    return word, services.event(kind, text, delivery_id=delivery.id, stage=delivery.at_stage, data=data, by=by)


def _void(services: Services, delivery: Delivery, word: Approval) -> str | None:
    """Return why a yes counts for nothing, where the gates before the stage ask for one and none heeds it."""
    if (stage := services.spec.stage(delivery.at_stage)) is None:
        return None
    facts = facts_of(services, delivery, stage)
    asked = [spec for spec in gates_for(stage, services.spec, facts.mode) if spec.kind == KIND]
    unheard = [void(word, facts, spec, word.at) for spec in asked]
    return unheard[0] if unheard and all(unheard) else None


def _rejected(verdicts: Sequence[Verdict], word: Approval) -> list[Verdict]:
    """Return what the gates said last, under a person's no; in deployment mode no gate has asked for it."""
    known = {"slug_id": word.slug_id, "in_the_way_since": word.at.isoformat()}
    no = Verdict(KIND, Answer.FAIL, sentence(word), facts=known, name=KIND)
    under = [
        dataclasses.replace(no, name=each.name, facts={**each.facts, **known}) if each.kind == KIND else each
        for each in verdicts
    ]
    return under if any(each.kind == KIND for each in verdicts) else [*under, no]
