"""Asking the gates of a stage whether a delivery may enter it."""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import StageSpec
from herodeploy.flows import mode
from herodeploy.flows.locks import tell_warnings
from herodeploy.flows.looks.look import look_for
from herodeploy.flows.services import Services
from herodeploy.gates.evaluate import decision, evaluate, recheck_at


def judge(services: Services, delivery: Delivery, *, actor: str | None = None) -> Delivery:
    """Ask the gates before `delivery.at_stage` and move the delivery by their answer.

    Parameters:
        actor: the person who asks for the move; None where it is automatic.

    Returns:
        the delivery: running when all gates pass, failed when one says FAIL, waiting otherwise.
    """
    stage = services.stage(delivery.at_stage)
    now = services.clock()
    facts = facts_of(services, delivery, stage, actor=actor)
    verdicts = evaluate(facts, now, look_for(services, delivery))
    services.store.gates.record_verdicts(delivery.id, stage.name, verdicts, now)
    answer = decision(verdicts)
    if answer is Answer.WAIT:
        return _wait(services, delivery, reasons(verdicts, Answer.WAIT), recheck_at(verdicts))
    if answer is Answer.FAIL:
        return _fail(services, delivery, reasons(verdicts, Answer.FAIL))
    tell_warnings(services, facts, now)
    event = services.event("gates.passed", _passed(stage, verdicts), delivery_id=delivery.id, stage=stage.name)
    return services.store.move(
        delivery.id, event=event, expect=Status.WAITING, status=Status.RUNNING, attempt=1, reason=None, recheck_at=None
    )


def facts_of(services: Services, delivery: Delivery, stage: StageSpec, *, actor: str | None = None) -> Facts:
    """Return what the gates of a stage may know of a delivery; `actor` as of `judge`."""
    before = services.spec.before(stage.name)
    artifact, store, pipeline_id = artifact_of(delivery), services.store, delivery.pipeline_id
    return Facts(
        pipeline=services.spec,
        stage=stage,
        mode=mode.show(services).mode,
        delivery_id=delivery.id,
        commit=delivery.commit,
        author=delivery.author,
        slug_id=artifact,
        ci=delivery.ci,
        verified_upstream=before is None or store.is_verified(pipeline_id, before.name, artifact, before.apps),
        approvals=tuple(store.gates.approvals_of(pipeline_id, stage.name, artifact)),
        actor=actor,
        locks=tuple(store.locks.of_stage(pipeline_id, stage.name)),
        hold=store.locks.hold(pipeline_id, stage.name),
        taken_back=store.locks.taken_back(pipeline_id, stage.name, delivery.commit),
        overrides=tuple(store.gates.overrides(delivery.id, stage.name)),
        observations=store.gates.observations(delivery.id, stage.name),
    )


def artifact_of(delivery: Delivery) -> str:
    """Return what an approval names: the slug, or the commit while nothing is built."""
    return delivery.slug_id or delivery.commit


def reasons(verdicts: list[Verdict], answer: Answer) -> str:
    """Return the reasons of the verdicts that say `answer`, as one text."""
    return "; ".join(verdict.reason for verdict in verdicts if verdict.answer is answer)


def _passed(stage: StageSpec, verdicts: list[Verdict]) -> str:
    overridden = [f"{each.name} ({each.actor})" for each in verdicts if each.answer is Answer.OVERRIDDEN]
    return f"may enter {stage.name}" + (f"; overridden: {', '.join(overridden)}" if overridden else "")


def _wait(services: Services, delivery: Delivery, reason: str, recheck: datetime | None) -> Delivery:
    services.tell("wait", reason, leg=delivery.at_stage)
    if delivery.reason == reason and delivery.recheck_at == recheck:
        return delivery
    if delivery.reason == reason:
        return services.store.recheck(delivery.id, recheck)
    event = services.event("gates.waiting", reason, delivery_id=delivery.id, stage=delivery.at_stage)
    return services.store.move(delivery.id, event=event, expect=Status.WAITING, reason=reason, recheck_at=recheck)


def _fail(services: Services, delivery: Delivery, reason: str) -> Delivery:
    services.tell("failed", reason, leg=delivery.at_stage)
    event = services.event("gates.failed", reason, delivery_id=delivery.id, stage=delivery.at_stage)
    return services.store.move(
        delivery.id, event=event, expect=Status.WAITING, status=Status.FAILED, reason=reason, recheck_at=None
    )
