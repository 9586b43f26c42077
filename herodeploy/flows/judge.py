"""Asking the gates of a stage whether a delivery may enter it."""

from __future__ import annotations

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import StageSpec
from herodeploy.flows import mode
from herodeploy.flows.services import Services
from herodeploy.gates.evaluate import decision, evaluate


def judge(services: Services, delivery: Delivery) -> Delivery:
    """Ask the gates before `delivery.at_stage` and move the delivery by their answer.

    Returns:
        the delivery: running when all gates pass, failed when one says FAIL, waiting otherwise.
    """
    stage = services.stage(delivery.at_stage)
    now = services.clock()
    verdicts = evaluate(facts_of(services, delivery, stage), now)
    services.store.record_verdicts(delivery.id, stage.name, verdicts, now)
    answer = decision(verdicts)
    if answer is Answer.WAIT:
        return _wait(services, delivery, reasons(verdicts, Answer.WAIT))
    if answer is Answer.FAIL:
        return _fail(services, delivery, reasons(verdicts, Answer.FAIL))
    event = services.event("gates.passed", f"may enter {stage.name}", delivery_id=delivery.id, stage=stage.name)
    return services.store.move(
        delivery.id, event=event, expect=Status.WAITING, status=Status.RUNNING, attempt=1, reason=None
    )


def facts_of(services: Services, delivery: Delivery, stage: StageSpec) -> Facts:
    """Return what the gates of a stage may know of a delivery."""
    before = services.spec.before(stage.name)
    artifact = artifact_of(delivery)
    approvals = services.store.approvals(delivery.id, stage.name)
    return Facts(
        pipeline=services.spec,
        stage=stage,
        mode=mode.show(services).mode,
        delivery_id=delivery.id,
        commit=delivery.commit,
        author=delivery.author,
        slug_id=artifact,
        ci=delivery.ci,
        verified_upstream=before is None or services.store.is_verified(delivery.pipeline_id, before.name, artifact),
        approvals=tuple(each for each in approvals if each.slug_id == artifact),
    )


def artifact_of(delivery: Delivery) -> str:
    """Return what an approval names: the slug, or the commit while nothing is built."""
    return delivery.slug_id or delivery.commit


def reasons(verdicts: list[Verdict], answer: Answer) -> str:
    """Return the reasons of the verdicts that say `answer`, as one text."""
    return "; ".join(verdict.reason for verdict in verdicts if verdict.answer is answer)


def _wait(services: Services, delivery: Delivery, reason: str) -> Delivery:
    services.tell("wait", reason, leg=delivery.at_stage)
    if delivery.reason == reason:
        return delivery
    event = services.event("gates.waiting", reason, delivery_id=delivery.id, stage=delivery.at_stage)
    return services.store.move(delivery.id, event=event, expect=Status.WAITING, reason=reason)


def _fail(services: Services, delivery: Delivery, reason: str) -> Delivery:
    services.tell("failed", reason, leg=delivery.at_stage)
    event = services.event("gates.failed", reason, delivery_id=delivery.id, stage=delivery.at_stage)
    return services.store.move(delivery.id, event=event, expect=Status.WAITING, status=Status.FAILED, reason=reason)
