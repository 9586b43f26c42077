"""What the gates say, or said, to a delivery; nothing is moved by it."""

from __future__ import annotations

from collections.abc import Sequence

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.domain.gate import Answer, Verdict
from herodeploy.flows.judge import verdicts_of
from herodeploy.flows.services import Services
from herodeploy.gates import approval
from herodeploy.gates.evaluate import decision


def verdicts_now(services: Services, delivery: Delivery) -> list[Verdict]:
    """Return what the gates before `delivery.at_stage` say to one that waits, by what they saw last; nothing is kept.

    Of one that does not wait, or waits before a stage that herodeploy.yml no longer has: what they said last.
    """
    if delivery.status is not Status.WAITING or services.spec.stage(delivery.at_stage) is None:
        return services.store.gates.verdicts(delivery.id, delivery.at_stage)
    return verdicts_of(services, delivery)


def at_gate(services: Services, delivery: Delivery) -> bool:
    """Whether the gates keep a delivery where it is, or ended it there, and not a leg that runs or failed."""
    return delivery.status is Status.WAITING or failed_at_gate(services, delivery)


def failed_at_gate(services: Services, delivery: Delivery) -> bool:
    """Whether a gate, or a person who was asked, ended it: a leg begins only where all gates have passed."""
    if delivery.status is not Status.FAILED or delivery.at_stage == TEST_LEG:
        return False
    verdicts = services.store.gates.verdicts(delivery.id, delivery.at_stage)
    return not verdicts or decision(verdicts) is not Answer.PASS


def wants_approval(verdicts: Sequence[Verdict]) -> bool:
    """Whether somebody's yes is waited for."""
    return any(each.kind == approval.KIND and each.answer is Answer.WAIT for each in verdicts)


def waits(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return those of the gates that were asked and say WAIT."""
    return [each for each in verdicts if each.answer is Answer.WAIT and "after" not in each.facts]


def rejection(services: Services, delivery: Delivery) -> Verdict | None:
    """Return the verdict by which a person's no ended it, if one did."""
    if delivery.status is not Status.FAILED:
        return None
    said = services.store.gates.verdicts(delivery.id, delivery.at_stage)
    return next((each for each in said if each.kind == approval.KIND and each.answer is Answer.FAIL), None)
