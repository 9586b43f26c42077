"""The platform's time: the machine's, advanced by whoever tests what takes days."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from herodeploy.local import disk


class Clock:
    """A clock that can be advanced, never turned back.

    Parameters:
        file: remembers how far it is ahead, so that nothing seems to come from the future after a restart.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = _read(file)
        self._advanced = asyncio.Event()

    def now(self) -> datetime:
        """Return the time, aware, without microseconds, as Heroku's resources show it."""
        return self.exactly().replace(microsecond=0)

    def exactly(self) -> datetime:
        """Return the time, aware, with microseconds."""
        return datetime.now(UTC) + self._ahead

    @property
    def ahead(self) -> float:
        """Seconds that it is ahead of the machine's clock."""
        return self._ahead.total_seconds()

    def advance(self, seconds: float) -> None:
        """Let that many seconds have passed.

        Raises:
            ValueError: a negative number, or one beyond what a calendar holds.
        """
        if seconds < 0:
            raise ValueError("a clock cannot be turned back")
        try:
            ahead = self._ahead + timedelta(seconds=seconds)
            datetime.now(UTC) + ahead
        except (OverflowError, ValueError) as problem:
            raise ValueError("that is beyond what a calendar holds") from problem
        disk.write_private(self._file, str(ahead.total_seconds()).encode())
        self._ahead = ahead
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def until(self, moment: datetime) -> None:
        """Wait until that time has come, by itself or by `advance`."""
        while (left := (moment - self.exactly()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._advanced.wait(), left)


def _read(file: Path) -> timedelta:
    try:
        return timedelta(seconds=float(file.read_text()))
    except (OSError, ValueError, OverflowError):  # never advanced, or damaged
        return timedelta()
