"""The standing worker: whatever is due in the pipeline is carried on, as soon as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.engine.port import Engine
from herodeploy.errors import Busy, HerodeployError, Interrupted, PlatformUnreachable, StoreError
from herodeploy.flows.deliver import carry_or_tell
from herodeploy.flows.judge import MOST, judge_all
from herodeploy.flows.services import Services
from herodeploy.store.bell import Bell

BATCH = 1000
LONGEST = 30.0
"""Seconds after which it looks in any case."""
STUCK = 5.0
"""Seconds after which it looks again at what could not go on."""
WHILE_BUSY = 1.0
"""Seconds between two attempts to have a turn while somebody else works on the pipeline."""

Turn = Callable[[], AbstractContextManager[Engine]]


def work(services: Services, turn: Turn, bell: Bell, ended: Callable[[], bool] = lambda: False) -> None:
    """Carry on what is due, until `ended` says so: it is asked between two looks.

    Every delivery that waits is looked at in the beginning, as its gates may be configured otherwise by now.

    Parameters:
        turn: opens the engine, alone on the pipeline; held only while there is something to do, so that people can
            promote and roll back by hand in between.
        bell: rings when something was written to the store.

    Raises:
        StoreError: the store cannot be used any more.
    """
    services.store.due.ask_waiting(services.pipeline().id)
    while not ended():
        bell.wait(look(services, turn))


def look(services: Services, turn: Turn) -> float:
    """Carry on what is due now; return the seconds to the next look, if nothing happens before."""
    if services.store.due.deliveries(services.pipeline().id, services.clock(), 1):
        try:
            with turn() as engine:
                everything = carry_on_due(services, engine)
        except Busy:
            return WHILE_BUSY
        if not everything:
            return STUCK
    soonest = services.store.due.next_at(services.pipeline().id)
    left = (soonest - services.clock()).total_seconds() if soonest is not None else LONGEST
    return min(max(left, 0.0), LONGEST)


def carry_on_due(services: Services, engine: Engine) -> bool:
    """Carry on all that is due, and what becomes due by it; whether everything could go on."""
    left: set[str] = set()
    judged: Counter[tuple[str, str]] = Counter()
    while True:
        found = services.store.due.deliveries(services.pipeline().id, services.clock(), BATCH + len(left))
        due = [each for each in found if each.id not in left]
        if not due:
            return not left
        first = due[0]
        if first.status is Status.WAITING:
            left |= _judge(services, [each for each in due if _waits_with(each, first)])
            judged[first.id, first.at_stage] += 1
            if judged[first.id, first.at_stage] == MOST:
                left.add(first.id)
        elif not _carry(services, engine, first):
            left.add(first.id)


def _waits_with(delivery: Delivery, first: Delivery) -> bool:
    return delivery.status is Status.WAITING and delivery.at_stage == first.at_stage


def _judge(services: Services, deliveries: list[Delivery]) -> set[str]:
    """Ask the gates; return those that could not be judged."""
    stage = deliveries[0].at_stage
    try:
        faults = judge_all(services, deliveries)
    except (StoreError, Interrupted):
        raise
    except Exception as error:  # noqa: BLE001 - what is wrong before one stage must not stop the others
        services.tell("warning", f"cannot ask the gates before {stage}: {_said(error)}")
        return {each.id for each in deliveries}
    for key, fault in faults.items():
        services.tell("warning", f"cannot ask the gates before {stage} for {key}: {_said(fault)}")
    return set(faults)


def _carry(services: Services, engine: Engine, delivery: Delivery) -> bool:
    """Carry one on; whether it stands elsewhere than before."""
    try:
        after = carry_or_tell(services, engine, delivery)
    except PlatformUnreachable as error:
        services.tell("warning", f"{delivery.id} is tried again later: {error.message}")
        # It may answer at another address by then.
        services.disconnect()
        after = services.store.delivery(delivery.id) or delivery
    except HerodeployError:
        raise
    except Exception as error:  # noqa: BLE001 - a fault in one delivery must not stop the others
        services.tell("warning", f"{delivery.id} met {_said(error)}")
        after = services.store.delivery(delivery.id) or delivery
    if after.soaks and after.reason != delivery.reason:
        services.tell("wait", after.reason or "", leg=after.at_stage)
    return _place(after) != _place(delivery)


def _said(error: Exception) -> str:
    if isinstance(error, HerodeployError):
        return error.message
    return f"a fault of herodeploy's own: {type(error).__name__}: {error}"


def _place(delivery: Delivery) -> tuple[object, ...]:
    return delivery.status, delivery.at_stage, delivery.attempt, delivery.recheck_at
