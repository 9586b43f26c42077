"""Why a delivery is not in production, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer, Verdict
from herodeploy.domain.snapshot import plain
from herodeploy.errors import UsageError
from herodeploy.flows.approval import find
from herodeploy.flows.judge import facts_of
from herodeploy.flows.overrides import overridable
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import at_gate, rejection, verdicts_now
from herodeploy.gates import approval, freeze, lock, window
from herodeploy.gates.evaluate import decision, evaluate

BY_THE_CLOCK = (window.KIND, freeze.KIND, lock.KIND)
"""Kinds of gates that say now what they will say at another time."""
MOST = 100
"""Times that what opens is followed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a delivery stands, and what the gates before the stage that it is at say.

    Parameters:
        verdicts: of one that waits, as they are now, by what the gates saw last; of any other, as they were taken.
        at_gate: whether the gates keep it where it is, not a leg that runs or failed.
        rejected: whether a person's no ended it.
        decide: the gates that a person may decide against, in their order; but for approvals.
        not_before: the earliest end of its waiting, where gates know one.
    """

    delivery: Delivery
    verdicts: tuple[Verdict, ...]
    at_gate: bool
    rejected: bool
    decide: tuple[str, ...]
    not_before: datetime | None

    @property
    def answer(self) -> Answer:
        """What the verdicts come to."""
        return decision(self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        value = {
            "delivery": asdict(self.delivery),
            "stage": self.delivery.at_stage,
            "at_gate": self.at_gate,
            "answer": self.answer if self.verdicts else None,
            "not_before": self.not_before,
            "verdicts": [asdict(each) for each in self.verdicts],
            "rejected": self.rejected,
            "decide": list(self.decide),
        }
        return dict(plain(value))


def why(services: Services, delivery_id: str | None = None) -> Explanation:
    """Explain where a delivery stands; nothing is moved, and no gate looks at the world.

    Parameters:
        delivery_id: as `approval.find` takes it; unless given the newest open one, else the newest.

    Raises:
        UsageError: there is no such delivery, or none at all.
    """
    delivery = find(services, delivery_id) if delivery_id is not None else _newest(services)
    verdicts = verdicts_now(services, delivery)
    closed = overridable(services, delivery, verdicts)
    return Explanation(
        delivery,
        tuple(verdicts),
        at_gate=at_gate(services, delivery),
        rejected=rejection(services, delivery) is not None,
        decide=tuple(each.name for each in closed if each.kind != approval.KIND),
        not_before=_not_before(services, delivery, verdicts),
    )


def _not_before(services: Services, delivery: Delivery, verdicts: Sequence[Verdict]) -> datetime | None:
    """Return when all gates that know an end of their waiting let it in: as one opens, another may have closed."""
    stage, at = services.spec.stage(delivery.at_stage), max(_ends(verdicts), default=None)
    if delivery.status is not Status.WAITING or stage is None or at is None:
        return None if delivery.status.ended else at
    facts = facts_of(services, delivery, stage)
    for _ in range(MOST):
        then = [each for each in evaluate(facts, at) if each.kind in BY_THE_CLOCK]
        if (later := max(_ends(then), default=at)) <= at:
            break
        at = later
    return at


def _ends(verdicts: Sequence[Verdict]) -> list[datetime]:
    return [each.until for each in verdicts if each.answer is Answer.WAIT and each.until is not None]


def _newest(services: Services) -> Delivery:
    pipeline_id = services.pipeline().id
    still_open = services.store.open_deliveries(pipeline_id)
    if still_open:
        return still_open[-1]
    ended = services.store.deliveries(pipeline_id, limit=1)
    if not ended:
        raise UsageError(f"{services.spec.name} has no deliveries yet", hint="begin with: herodeploy deliver")
    return ended[0]
