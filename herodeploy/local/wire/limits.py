"""The rate limit of an account: a bucket of tokens, one a call, refilled all the time."""

from __future__ import annotations

import time
from collections.abc import Callable

FREE = "/account/rate-limits"
"""Asking how many calls are left costs none."""


class Limiter:
    """A token bucket.

    Parameters:
        size: tokens at most, and at the beginning.
        refill: tokens that come back each minute.
        clock: seconds of a clock that only goes forward.
    """

    def __init__(self, size: float, refill: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._refill = refill
        self._clock = clock
        self._tokens = size
        self._seen = clock()

    @property
    def remaining(self) -> int:
        """Whole tokens that are left now."""
        now = self._clock()
        self._tokens = min(self._size, self._tokens + (now - self._seen) * self._refill / 60)
        self._seen = now
        return int(self._tokens)

    def take(self) -> bool:
        """Take a token; False where none is left."""
        if self.remaining < 1:
            return False
        self._tokens -= 1
        return True
