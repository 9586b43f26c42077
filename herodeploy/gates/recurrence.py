"""RRULEs (RFC 5545) in the wall clock's time, through python-dateutil, with an end to every search."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dateutil.rrule import rrule

BACK, AHEAD = 2, 10
"""Years around a moment that are looked at."""
MOST = 1000
"""What COUNT and INTERVAL may be at most."""
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS",
}  # fmt: skip
CYCLE = 400
"""Years after which the Gregorian calendar repeats, days of the week included."""
_LAST_YEAR = 9999


@dataclass(frozen=True, slots=True)
class Rule:
    """An RRULE and its first moment.

    Parameters:
        text: its parts without UNTIL.
        until: the last moment at which it may occur.
    """

    text: str
    start: datetime
    until: datetime | None = None

    def occurrences(self, year: int) -> tuple[datetime, ...]:
        """Return all from `BACK` years before that year to `AHEAD` years after it, in order; at most one a day."""
        return _occurrences(self, year)


def parse(text: str, start: datetime) -> Rule:
    """Return the rule that ``FREQ=MONTHLY;BYDAY=-1FR`` writes.

    Raises:
        ValueError: it is none, is more than a calendar needs, or never occurs.
    """
    parts = _parts(text.strip().upper().removeprefix("RRULE:"))
    until = _until(parts.pop("UNTIL")) if "UNTIL" in parts else None
    rule = Rule(";".join(f"{name}={value}" for name, value in parts.items()), start, until)
    try:
        first = next(iter(_moved(rule, start.year + CYCLE)[0]), None)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"'{text}' is no RRULE: {error}") from None
    if first is None:
        raise ValueError(f"'{text}' never occurs after its start")
    return rule


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise ValueError(f"'{text}' is no RRULE: '{part}' is not as in FREQ=MONTHLY;BYDAY=-1FR")
        if name not in PARTS:
            way_out = "; the time of the day is that of start" if name.startswith("BY") else ""
            raise ValueError(f"an RRULE here has no {name}{way_out}; it may have {', '.join(sorted(PARTS))}")
        parts[name] = value
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"FREQ is {parts.get('FREQ', 'missing')}; one of {', '.join(FREQUENCIES)}")
    for name in ("COUNT", "INTERVAL"):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name]) <= MOST):
            raise ValueError(f"{name} is {parts[name]}; it goes from 1 to {MOST}")
    return parts


def _until(text: str) -> datetime:
    if not re.fullmatch(r"\d{8}(T\d{6})?", text):
        raise ValueError(f"UNTIL is {text}; write it as 20261231 or 20261231T180000, in the calendar's own time zone")
    try:
        # Only a day: it is meant whole.
        return datetime.strptime(text if "T" in text else f"{text}T235959", "%Y%m%dT%H%M%S")
    except ValueError:
        raise ValueError(f"UNTIL is {text}, which is no date") from None


@lru_cache(maxsize=256)
def _occurrences(rule: Rule, year: int) -> tuple[datetime, ...]:
    moved, years = _moved(rule, year + AHEAD)
    found = []
    for each in moved:
        if each.year - years > year + AHEAD:
            break
        if each.year - years >= year - BACK:
            found.append(each.replace(year=each.year - years))
    return tuple(found)


def _moved(rule: Rule, last: int) -> tuple[rrule, int]:
    """Return the rule as many whole cycles later as there is room for after year `last`, and how many years that is.

    dateutil looks for the next occurrence until year 9999. Up there that is near, and as the calendar repeats, a rule
    that finds nothing there finds nothing ever.
    """
    from dateutil.rrule import rrulestr

    years = (_LAST_YEAR - max(last, rule.start.year)) // CYCLE * CYCLE
    made: Any = rrulestr(rule.text, dtstart=rule.start.replace(year=rule.start.year + years))
    if rule.until is not None and rule.until.year + years <= _LAST_YEAR:
        made = made.replace(until=rule.until.replace(year=rule.until.year + years))
    return made, years
