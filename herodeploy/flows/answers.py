"""Asking an app until it answers steadily as its stage's verification wants."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from herodeploy.domain.pipeline import VerifySpec
from herodeploy.errors import PlatformUnreachable
from herodeploy.flows.services import Services

if TYPE_CHECKING:
    from herodeploy.heroku.probing import Addressed

PROBE_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking came to.

    Parameters:
        steady: whether there were enough wanted answers in a row.
        status: the last answer; None where none came in time.
        heard: the last one that came at all.
        broken: why there was no use in asking on.
    """

    steady: bool
    status: int | None = None
    heard: int | None = None
    broken: str | None = None


def ask_until_steady(
    services: Services,
    app: Addressed,
    spec: VerifySpec,
    path: str,
    within: timedelta,
    *,
    broken: Callable[[], str | None] = lambda: None,
) -> Asked:
    """Ask until enough wanted answers came in a row, or the time is up.

    Parameters:
        spec: which status is wanted, and how often in a row.
        broken: looks, after an answer that is not wanted, whether asking on is of no use, and says why.

    Raises:
        PlatformUnreachable: the last time no connection came about; nobody was asked, so nobody said no.
    """
    ends = time.monotonic() + within.total_seconds()
    in_a_row, status, heard = 0, None, None
    while True:
        unreachable = None
        try:
            status = services.heroku.probe(app, path, PROBE_TIMEOUT)
        except PlatformUnreachable as error:
            status, unreachable = None, error
        in_a_row = in_a_row + 1 if status == spec.status else 0
        if in_a_row >= spec.passes:
            return Asked(steady=True, status=status, heard=status)
        heard = heard if status is None else status
        if in_a_row == 0 and (why := broken()):
            return Asked(steady=False, status=status, heard=heard, broken=why)
        if time.monotonic() >= ends:
            if unreachable is not None:
                raise unreachable
            return Asked(steady=False, status=status, heard=heard)
        services.pause(services.poll)
