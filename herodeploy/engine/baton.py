"""Hands a piece of work from one thread to another that waits for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

Work = Callable[[], dict[str, Any]]


class Left(BaseException):
    """Nobody does this work now. No `Exception`, so that the engine records nothing and it can be done later."""


class Baton:
    """For one piece of work: one thread gives it, another carries it to its end."""

    def __init__(self) -> None:
        self._offers: queue.Queue[_Offer] = queue.Queue()
        self._all: list[_Offer] = []
        self._guard = threading.Lock()
        self._dropped = False

    def hand_over(self, work: Work) -> dict[str, Any]:
        """Have the other thread do `work`, and return or raise what it came to."""
        offer = _Offer(work)
        with self._guard:
            if self._dropped:
                raise Left
            self._all.append(offer)
            self._offers.put(offer)
        end = offer.end.get()
        if isinstance(end, BaseException):
            raise end
        return end

    def carry(self, within: float) -> bool:
        """Do the work that is handed over within so many seconds; whether any was.

        What it raises is raised in the giver's thread if it is an `Exception`; anything else, such as
        KeyboardInterrupt, is raised here and the giver gets `Left`.
        """
        try:
            offer = self._offers.get(timeout=within)
        except queue.Empty:
            return False
        try:
            offer.end.put(offer.work())
        except Exception as error:  # noqa: BLE001 - it is the giver's
            offer.end.put(error)
        except BaseException:
            offer.end.put(Left())
            raise
        return True

    def drop(self) -> None:
        """Let every giver go, now and later."""
        with self._guard:
            self._dropped = True
            for offer in self._all:
                offer.end.put(Left())


class _Offer:
    def __init__(self, work: Work) -> None:
        self.work = work
        self.end: queue.Queue[dict[str, Any] | BaseException] = queue.Queue()
