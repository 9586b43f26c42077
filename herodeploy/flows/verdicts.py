"""What the gates say, or said, to a delivery; nothing is moved by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.domain.gate import Answer, Verdict
from herodeploy.flows.judge import all_verdicts_of
from herodeploy.flows.services import Services
from herodeploy.gates import approval
from herodeploy.gates.evaluate import asked, decision

BATCH = 500
"""Deliveries whose facts are read at once."""


def verdicts_now(services: Services, delivery: Delivery) -> list[Verdict]:
    """Return what the gates before `delivery.at_stage` say to one that waits, by what they saw last; nothing is kept.

    Of one that does not wait, or waits before a stage that herodeploy.yml no longer has: what they said last.
    """
    return all_verdicts_now(services, [delivery])[delivery.id]


def all_verdicts_now(services: Services, deliveries: Sequence[Delivery]) -> dict[str, list[Verdict]]:
    """Return of each delivery, by its id, what `verdicts_now` does; of many it is read at once."""
    found = {}
    waiting: dict[str, list[Delivery]] = defaultdict(list)
    for each in deliveries:
        if each.status is Status.WAITING and services.spec.stage(each.at_stage) is not None:
            waiting[each.at_stage].append(each)
        else:
            found[each.id] = services.store.gates.verdicts(each.id, each.at_stage)
    for there in waiting.values():
        for at in range(0, len(there), BATCH):
            some = there[at : at + BATCH]
            found |= {each.id: said for each, said in zip(some, all_verdicts_of(services, some), strict=True)}
    return found


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
    return [each for each in asked(verdicts) if each.answer is Answer.WAIT]


def rejection(services: Services, delivery: Delivery) -> Verdict | None:
    """Return the verdict by which a person's no ended it, if one did."""
    if delivery.status is not Status.FAILED:
        return None
    said = services.store.gates.verdicts(delivery.id, delivery.at_stage)
    return next((each for each in said if each.kind == approval.KIND and each.answer is Answer.FAIL), None)
