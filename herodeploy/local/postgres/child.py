"""A server process that says when it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque

from herodeploy.local.process import process
from herodeploy.local.process.ledger import Ledger

PATIENCE = 180.0
GRACE = 10.0
TELLING = ("FATAL", "PANIC", "Error", "error", "cannot", "setpriv")


class Child:
    """One server under the process guard.

    Parameters:
        ready: what it says when it can be used.
        ledger: remembers it, to end it after a crash of the platform.
        ends_at: the signal that ends it in order.
    """

    def __init__(self, ready: str, ledger: Ledger, ends_at: signal.Signals) -> None:
        self._mark = ready
        self._ledger = ledger
        self._ends_at = ends_at
        self._process: process.Process | None = None
        self._said: deque[str] = deque(maxlen=20)
        self._ready = asyncio.Event()

    async def start(self, command: process.Command) -> bool:
        """Start it; tell whether it can be used. One that cannot has ended.

        Raises:
            OSError: no process can be started.
        """
        self._said.clear()
        self._ready.clear()
        self._process = await process.start(command, self._take)
        self._ledger.add(self._process.pid)
        end = asyncio.ensure_future(self._process.wait())
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({end, ready}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        finally:
            ready.cancel()
        if self._ready.is_set() and not end.done():
            return True
        await self.stop()
        return False

    async def wait(self) -> int:
        """Wait for its end; return its exit status."""
        return await self._process.wait() if self._process is not None else 0

    async def stop(self) -> None:
        """End it in order, or by force when that takes too long."""
        child, self._process = self._process, None
        if child is None:
            return
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, self._ends_at)
            try:
                await asyncio.wait_for(child.wait(), GRACE)
            except TimeoutError:
                await child.stop(1)
        self._ledger.remove(child.pid)

    @property
    def runs(self) -> bool:
        """Whether it was started and not stopped; it may have ended by itself."""
        return self._process is not None

    @property
    def last_words(self) -> str:
        """The last thing that matters in what it said."""
        told = [line for line in self._said if any(word in line for word in TELLING)]
        return (told or list(self._said) or ["it said nothing."])[-1]

    def said(self, *words: str) -> bool:
        """Tell whether it said one of these."""
        return any(word in line for word in words for line in self._said)

    def _take(self, line: str) -> None:
        self._said.append(line)
        if self._mark in line:
            self._ready.set()
