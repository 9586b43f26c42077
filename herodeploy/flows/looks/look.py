"""Looking at the world for the gates of one delivery, and remembering what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Facts, Observation, Question
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import HerodeployError, Interrupted
from herodeploy.flows.looks import batch, checks, command, http, preflight, soak
from herodeploy.flows.services import Services
from herodeploy.gates import registry
from herodeploy.gates.evaluate import LookFor
from herodeploy.gates.options import one_line

ServiceLook = Callable[[Services, Delivery, Question], Mapping[str, object]]
LONGEST = 500
"""Characters of an error of somebody else's."""

LOOKS: dict[str, ServiceLook] = {
    "batch": batch.look,
    "command": command.look,
    "checks": checks.look,
    "http": http.look,
    "preflight": preflight.look,
    "soak": soak.look,
}
"""herodeploy's own looks, by the gate's kind."""


def look_for(services: Services, delivery: Delivery, *, keep: bool = True) -> LookFor:
    """Return what looks for the gates before `delivery.at_stage`.

    Parameters:
        keep: whether each observation is kept for the next time; not for a delivery that is not in the store.
    """

    def look(spec: GateSpec, facts: Facts) -> Observation | None:
        previous = facts.observed(spec)
        act = _look_of(services, delivery, spec)
        if act is None:
            return previous
        seen = _seen(act, Question(facts, spec, previous, services.clock()))
        if keep:
            services.store.gates.record_observation(delivery.id, delivery.at_stage, spec.memory, seen)
        return seen

    return look


def _look_of(
    services: Services, delivery: Delivery, spec: GateSpec
) -> Callable[[Question], Mapping[str, object]] | None:
    ours = LOOKS.get(spec.kind)
    if ours is not None:
        return lambda question: ours(services, delivery, question)
    return registry.gate(spec.kind).look


def _seen(act: Callable[[Question], Mapping[str, object]], question: Question) -> Observation:
    """Return what was seen; what went wrong is no answer, so the gate waits and is asked again."""
    last = question.previous.data if question.previous else {}
    try:
        return Observation(question.now, act(question))
    except Interrupted:
        raise
    except HerodeployError as error:
        return Observation(question.now, last, error=f"{error.message}{f'; {error.hint}' if error.hint else ''}")
    except Exception as error:  # noqa: BLE001 - a gate of somebody else's may raise anything
        return Observation(question.now, last, error=one_line(f"{type(error).__name__}: {error}", LONGEST))
