"""A command that a person sits before stays with what soaks between two waves, and gives its turn back meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TypeVar

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Answer
from herodeploy.engine.port import Engine
from herodeploy.errors import Busy
from herodeploy.flows.deliver import advance
from herodeploy.flows.judge import OCCUPIED
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import verdicts_now
from herodeploy.flows.work import Turn, carry_on_due

LOOK = 1.0
"""Seconds between two looks whether it soaks still: somebody may have rolled it back, or carried it on."""

T = TypeVar("T")


def stay(services: Services, turn: Turn, delivery: Delivery) -> Delivery:
    """Stay with a delivery, and with those before it, until none of them soaks; errors as of `deliver.advance`.

    Parameters:
        turn: opens the engine, alone on the pipeline.
        delivery: as `deliver.advance` left it.

    Returns:
        the delivery, which has ended or waits.
    """
    attended = _Attended(services, lambda each: each.id <= delivery.id)

    def again(engine: Engine) -> Delivery:
        now = services.store.delivery(delivery.id) or delivery
        return now if now.status.ended else advance(services, engine, now, asks=False)

    while _goes_on_by_itself(services, delivery) and attended.soaks():
        attended.until_due()
        delivery = _in_turn(services, turn, again)
    return delivery


def stay_with_all(services: Services, turn: Turn, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Stay with whatever is open until nothing soaks; parameters as of `stay`.

    Returns:
        the deliveries, as they are then.
    """
    attended = _Attended(services, lambda _: True)
    while attended.soaks():
        attended.until_due()
        if not _in_turn(services, turn, lambda engine: carry_on_due(services, engine)):
            break  # why was told, and it would be the same at once
    return [each for each in (services.store.delivery(each.id) for each in deliveries) if each is not None]


def _goes_on_by_itself(services: Services, delivery: Delivery) -> bool:
    """Whether it soaks, or waits for nothing but another one that soaks in the stage."""
    if delivery.status is not Status.WAITING:
        return delivery.soaks
    waits = [each for each in verdicts_now(services, delivery) if each.answer is Answer.WAIT]
    return bool(waits) and all(each.kind == OCCUPIED for each in waits)


class _Attended:
    def __init__(self, services: Services, whom: Callable[[Delivery], bool]) -> None:
        self._services = services
        self._whom = whom
        self._told: dict[str, str | None] = {}

    def soaks(self) -> list[Delivery]:
        """Return what soaks, the next to be looked at first."""
        running = self._services.store.due.running(self._services.pipeline().id)
        found = [each for each in running if each.soaks and self._whom(each)]
        return sorted(found, key=lambda each: (each.recheck_at is None, each.recheck_at))

    def until_due(self) -> None:
        """Wait until one is to be looked at, or none soaks any more; each soak is told once."""
        while found := self.soaks():
            for each in found:
                if self._told.get(each.id) != each.reason:
                    self._services.tell("wait", each.reason or "", leg=each.at_stage)
                    self._told[each.id] = each.reason
            if found[0].recheck_at is None or found[0].recheck_at <= self._services.clock():
                break
            self._services.pause(LOOK)


def _in_turn(services: Services, turn: Turn, act: Callable[[Engine], T]) -> T:
    """Do something in a turn of its own, however long somebody else is at work."""
    while True:
        with ExitStack() as stack:
            try:
                engine = stack.enter_context(turn())
            except Busy:
                services.pause(LOOK)
                continue
            return act(engine)
