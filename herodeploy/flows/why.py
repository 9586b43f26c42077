"""Why a delivery is not in production, and until when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Answer, Verdict
from herodeploy.domain.snapshot import plain
from herodeploy.errors import UsageError
from herodeploy.flows.approval import find
from herodeploy.flows.overrides import overridable
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import at_gate, rejection, verdicts_now
from herodeploy.gates import approval
from herodeploy.gates.evaluate import decision


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a delivery stands, and what the gates before the stage that it is at say.

    Parameters:
        verdicts: of one that waits, as they are now, by what the gates saw last; of any other, as they were taken.
        at_gate: whether the gates keep it where it is, not a leg that runs or failed.
        rejected: whether a person's no ended it.
        decide: the gates that a person may decide against, in their order; but for approvals.
    """

    delivery: Delivery
    verdicts: tuple[Verdict, ...]
    at_gate: bool
    rejected: bool
    decide: tuple[str, ...]

    @property
    def answer(self) -> Answer:
        """What the verdicts come to."""
        return decision(self.verdicts)

    @property
    def not_before(self) -> datetime | None:
        """The earliest end of its waiting, where a gate knows one; what has ended waits no longer."""
        if self.delivery.status.ended:
            return None
        return max((each.until for each in self.verdicts if each.answer is Answer.WAIT and each.until), default=None)

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
    )


def _newest(services: Services) -> Delivery:
    pipeline_id = services.pipeline().id
    still_open = services.store.open_deliveries(pipeline_id)
    if still_open:
        return still_open[-1]
    ended = services.store.deliveries(pipeline_id, limit=1)
    if not ended:
        raise UsageError(f"{services.spec.name} has no deliveries yet", hint="begin with: herodeploy deliver")
    return ended[0]
