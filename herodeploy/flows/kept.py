"""Output that is kept: its end, without what can only be a secret."""

from __future__ import annotations

from collections import deque

from herodeploy.heroku import redact

LIMIT = 65_536
"""Characters; where there are more, the last ones say what went wrong."""


class Kept:
    """Takes lines and keeps the last ones."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._lines: deque[str] = deque()
        self._length = 0
        self._dropped = 0

    def take(self, line: str) -> None:
        """Keep a line, and let the oldest ones go where there are too many characters."""
        # No database takes NUL characters.
        line = redact.output(line.rstrip("\r\n").replace("\0", ""))[-self._limit + 1 :]
        self._lines.append(line)
        self._length += len(line) + 1
        while self._length > self._limit:
            self._length -= len(self._lines.popleft()) + 1
            self._dropped += 1

    def __str__(self) -> str:
        """The lines, and before them how many there were once."""
        left_out = [f"[{self._dropped} earlier lines are not kept]"] if self._dropped else []
        return "\n".join([*left_out, *self._lines])
