"""Waiting for one's turn on a pipeline and in a stage, for as long as a person is ready to."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from herodeploy.cli import when
from herodeploy.cli.surroundings import in_turn
from herodeploy.errors import Busy, Locked, Occupied

if TYPE_CHECKING:
    from herodeploy.app import Services

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")


class Work(Protocol[T_co]):
    """Opens what one herodeploy at a time may do; see `app.exclusive` and `app.worker`."""

    def __call__(self, services: Services, *, within: timedelta | None = None) -> AbstractContextManager[T_co]:
        """Wait for the pipeline so long."""
        ...


def take_turn(services: Services, work: Work[T], command: str, wait: str | None, act: Callable[[T], R]) -> R:
    """Do `act` with what `work` opens, once nobody else is at it; it may be begun again where a stage is not free.

    Parameters:
        command: what to run again where the wait is over, or none was wanted.
        wait: how long to wait in all, as a person writes it; None does not wait.

    Raises:
        Busy: another herodeploy works on the pipeline, or a delivery holds the stage, still.
        Locked: somebody's lock keeps out, still.
        UsageError: `wait` is no length of time.
    """
    if wait is None:
        with in_turn(work(services), command, may_wait=True) as entered:
            return act(entered)
    from herodeploy.flows import locks, occupancy

    ends = time.monotonic() + when.length(wait, "--lock-wait").total_seconds()
    while True:
        try:
            with in_turn(work(services, within=_left(ends)), command) as entered:
                return act(entered)
        except Occupied as held:
            services.tell("wait", f"{held.message}; it goes on with: herodeploy resume")
            if not occupancy.free(services, held, _left(ends)):
                raise Busy(f"{held.message}, still after {wait}", hint=held.hint) from held
        except Locked as barred:
            services.tell("wait", f"{barred.message}; herodeploy unlock lets it in")
            if not locks.gone(services, barred.stage, barred.past, _left(ends)):
                raise Locked(f"{barred.message}, still after {wait}", stage=barred.stage, hint=barred.hint) from barred


def _left(ends: float) -> timedelta:
    return timedelta(seconds=max(0.0, ends - time.monotonic()))
