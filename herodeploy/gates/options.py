"""What is written under a gate in herodeploy.yml or into what it saw, read; and put into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
PERCENT = 100


def duration(value: object) -> timedelta | None:
    """Return how long ``4h``, ``1h30m``, a number of seconds or a timedelta is; None for None.

    Raises:
        ValueError: it is none of these.
    """
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value)
    text = str(value).strip()
    if not re.fullmatch(r"(\d+[dhms])+", text):
        raise ValueError(f"{value!r} is no duration such as 90s, 15m, 4h or 1h30m")
    return sum((timedelta(**{_UNITS[unit]: int(n)}) for n, unit in re.findall(r"(\d+)([dhms])", text)), timedelta())


def share(value: object) -> float:
    """Return what ``1%`` is of one.

    Raises:
        ValueError: it is no share.
    """
    text = str(value).strip()
    if not re.fullmatch(r"\d+(\.\d+)?%", text) or float(text[:-1]) > PERCENT:
        raise ValueError(f"{value!r} is no share such as 1% or 0.5%")
    return float(text[:-1]) / PERCENT


def moment(text: object) -> datetime | None:
    """Return a time that a look noted; None for none."""
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of these patterns, such as ``ci/*``, fits; a name fits itself, whatever is in it: ``test [3.11]``."""
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns)


def listed(words: Sequence[str], most: int) -> str:
    """Return words as a sentence lists them: at most so many, and how many more there are."""
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more


def spoken(length: timedelta) -> str:
    """Return a duration as herodeploy.yml writes it, such as ``1h30m``."""
    left = int(length.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= seconds:
            parts.append(f"{left // seconds}{unit}")
            left %= seconds
    return "".join(parts) or "0s"


def one_line(text: str, longest: int) -> str:
    """Return a text that somebody else wrote as a sentence may quote it: in one line, in part, nothing but characters.

    Parameters:
        longest: how many characters at most.
    """
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: 10 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
