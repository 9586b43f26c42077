"""App logs as Heroku's: the newest 1500 lines an app, on disk, and a live tail."""

from __future__ import annotations

import asyncio
import os
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakSet

KEPT = 1500
LONGEST = 10_000
UNREAD = 10_000  # lines a slow follower may lag behind before it loses the oldest

_LINE = re.compile(r"\S+ (\w+)\[([^\]]*)\]: ")


class Logs:
    """The logs of every app.

    Parameters:
        folder: one file an app goes here; lines outlive the platform.
        clock: the time that lines carry, aware.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._folder = folder
        self._clock = clock
        self._apps: dict[str, _AppLog] = {}

    def write(self, app_id: str, source: str, dyno: str, line: str) -> None:
        """Add a line.

        Parameters:
            source: ``app`` for what the app and the API say, ``heroku`` for the platform.
            dyno: ``web.1``, ``api``, ``router`` ...
            line: several lines become several entries; longer than 10,000 characters is cut in pieces.
        """
        log = self._log(app_id)
        for text in line.split("\n"):
            for start in range(0, max(len(text), 1), LONGEST):
                log.add(source, dyno, text[start : start + LONGEST])

    def tail(self, app_id: str, lines: int = 100, source: str | None = None, dyno: str | None = None) -> list[str]:
        """Return the newest lines, oldest first; `dyno` may be a name or a process type."""
        wanted = _Filter(source, dyno)
        found = [line for line in self._log(app_id).lines if wanted.takes(line)]
        return found[-lines:] if lines > 0 else []

    def follow(self, app_id: str, source: str | None = None, dyno: str | None = None) -> AsyncIterator[str]:
        """Return what is written from now on, until the app is forgotten."""
        follower = _Follower(_Filter(source, dyno))
        self._log(app_id).followers.add(follower)
        return follower

    def forget(self, app_id: str) -> None:
        """Drop an app's log and end its followers."""
        log = self._log(app_id)
        del self._apps[app_id]
        log.drop()

    def _log(self, app_id: str) -> _AppLog:
        if app_id not in self._apps:
            self._apps[app_id] = _AppLog(self._folder / f"{app_id}.log", self._clock)
        return self._apps[app_id]


@dataclass(frozen=True, slots=True)
class _Filter:
    source: str | None
    dyno: str | None

    def takes(self, line: str) -> bool:
        if self.source is None and self.dyno is None:
            return True
        match = _LINE.match(line)
        if match is None:
            return False
        source, dyno = match.groups()
        return self.source in (None, source) and self.dyno in (None, dyno, dyno.partition(".")[0])


class _AppLog:
    """One app's lines, in memory and in a file that is cut when it has grown to twice what is kept."""

    def __init__(self, file: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.followers: WeakSet[_Follower] = WeakSet()
        self.lines: deque[str] = deque(maxlen=KEPT)
        self._file = file
        self._written = 0
        if file.exists():
            found = file.read_text("utf-8", errors="replace").split("\n")[:-1]
            self.lines.extend(found)
            self._written = len(found)

    def add(self, source: str, dyno: str, text: str) -> None:
        line = f"{self._clock().isoformat(timespec='microseconds')} {source}[{dyno}]: {text}"
        self.lines.append(line)
        self._save(line)
        for follower in list(self.followers):
            follower.take(line)

    def drop(self) -> None:
        self._file.unlink(missing_ok=True)
        for follower in list(self.followers):
            follower.take(None)

    def _save(self, line: str) -> None:
        """Append to the file. A full disk costs the history, never the app that logs."""
        try:
            if self._written >= 2 * KEPT:
                fresh = self._file.with_suffix(".new")
                fresh.write_text("".join(f"{kept}\n" for kept in self.lines), "utf-8", errors="replace")
                fresh.replace(self._file)
                self._written = len(self.lines)
                return
            self._append(f"{line}\n".encode(errors="replace"))
            self._written += 1
        except OSError:
            return

    def _append(self, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            fd = os.open(self._file, flags, 0o600)
        except FileNotFoundError:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._file, flags, 0o600)
        try:
            os.write(fd, data)
        finally:
            os.close(fd)


class _Follower(AsyncIterator[str]):
    """One reader of the live tail; forgotten when nobody holds it any more."""

    def __init__(self, wanted: _Filter) -> None:
        self._wanted = wanted
        self._lines: deque[str | None] = deque(maxlen=UNREAD)
        self._some = asyncio.Event()

    def take(self, line: str | None) -> None:
        if line is None or self._wanted.takes(line):
            self._lines.append(line)
            self._some.set()

    async def __anext__(self) -> str:
        while not self._lines:
            self._some.clear()
            await self._some.wait()
        line = self._lines.popleft()
        if line is None:
            self._lines.appendleft(None)
            raise StopAsyncIteration
        return line
