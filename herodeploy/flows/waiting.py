"""Looking again and again until the platform has an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from herodeploy.flows.services import Services

T = TypeVar("T")


def wait_for(
    services: Services, look: Callable[[], T | None], *, within: timedelta | None = None, every: float | None = None
) -> T | None:
    """Return the first thing that `look` finds, or None when the time is up.

    Parameters:
        within: how long to look; for ever when None, since the platform itself ends what it began.
        every: seconds between two looks; those between two looks at the platform unless given.
    """
    ends = None if within is None else time.monotonic() + within.total_seconds()
    while True:
        found = look()
        if found is not None:
            return found
        if ends is not None and time.monotonic() >= ends:
            return None
        services.pause(every or services.poll)


def until(services: Services, look: Callable[[], T | None]) -> T:
    """Return the first thing that `look` finds, however long it takes."""
    found = wait_for(services, look)
    assert found is not None  # noqa: S101 - without a time limit there is no other way out
    return found
