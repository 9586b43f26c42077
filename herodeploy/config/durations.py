"""Lengths of time as people write them: ``60s``, ``15m``, ``1h30m``, ``5d``."""

from __future__ import annotations

import re
from datetime import timedelta

PATTERN = r"^(?:\d+(?:\.\d+)?[smhdw])+$"
PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse(text: str) -> timedelta:
    """Return the length of time that `text` writes.

    Raises:
        ValueError: it is not written as number and unit, or longer than anybody waits.
    """
    compact = text.replace(" ", "")
    if not re.fullmatch(PATTERN, compact):
        raise ValueError(text)
    seconds = sum(float(number) * UNITS[unit] for number, unit in PART.findall(compact))
    if seconds > 3650 * UNITS["d"]:
        raise ValueError(text)
    return timedelta(seconds=seconds)


def write(length: timedelta) -> str:
    """Return `length` as people write it."""
    rest = length.total_seconds()
    text = ""
    for unit in "dhms":
        count, rest = divmod(rest, UNITS[unit])
        if count:
            text += f"{count:.0f}{unit}"
    return text or "0s"
