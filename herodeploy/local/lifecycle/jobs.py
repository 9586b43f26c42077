"""Work that goes on after a request was answered, by the id of the record that it moves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Jobs:
    """Tasks by record id; a failing one is logged, never lost in silence."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._all: set[asyncio.Task[None]] = set()
        """Also those whose key was given to later work."""

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Let work run by itself; it must leave its record in a final state, also when it is cancelled."""
        task = asyncio.create_task(work, name=key)
        self._tasks[key] = task
        self._all.add(task)
        task.add_done_callback(lambda done: self._ended(key, done))

    def running(self, key: str) -> bool:
        """Tell whether that record's work still runs."""
        task = self._tasks.get(key)
        return task is not None and not task.done()

    async def settled(self, key: str) -> None:
        """Wait until that record's work has ended; at once when none runs."""
        task = self._tasks.get(key)
        if task is not None:
            await asyncio.wait([task])

    async def cancel(self, key: str) -> bool:
        """Cancel that record's work and wait for its end; False when none ran."""
        task = self._tasks.get(key)
        if task is None:
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    async def close(self) -> None:
        """Cancel everything and wait."""
        tasks = list(self._all)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        self._all.discard(task)
        if self._tasks.get(key) is task:
            del self._tasks[key]
        if not task.cancelled() and task.exception() is not None:
            log.error("work on %s broke", key, exc_info=task.exception())
