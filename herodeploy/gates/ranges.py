"""Stretches of a calendar, in the time that a clock on the wall shows; each ends just before its end.

What it shows is a datetime without a time zone. Whether a moment lies in a range is decided by the wall's clock alone:
an hour that it shows twice counts twice, one that it skips never comes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from herodeploy.gates import options, recurrence

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
YEARS = range(1970, 2200)
LONGEST = timedelta(days=366)
EXAMPLES = (
    'such as "Mon-Thu 09:00-16:00", "Sat-Sun", "Fri 16:00-Mon 08:00", "2026-12-20..2027-01-03" or '
    '{rrule: "FREQ=MONTHLY;BYDAY=-1FR", start: 2026-01-30 15:00, duration: 6h}'
)
_CLOCK = r"(\d{1,2}):(\d\d)"
_DAY = r"[A-Za-z]+"
_DATE = r"\d{4}-\d\d-\d\d(?:[ T]\d{1,2}:\d\d(?::00)?)?"
_MONDAY = datetime(1970, 1, 5)


class Range(Protocol):
    """One stretch, perhaps one that comes again."""

    def holds(self, wall: datetime) -> bool:
        """Whether that moment lies in it."""
        ...

    def edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Yield, in any order, every start and end from `first` to `last`, and perhaps some beside them."""
        ...


@dataclass(frozen=True, slots=True)
class Weekly:
    """So long from the same time of each week on.

    Parameters:
        start: since Monday 00:00.
    """

    start: timedelta
    length: timedelta

    def holds(self, wall: datetime) -> bool:
        """Whether that moment lies in it."""
        return (wall - _MONDAY - self.start) % WEEK < self.length

    def edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Yield starts and ends, each week's."""
        at = first - (first - _MONDAY - self.start) % WEEK
        while at <= last:
            yield at
            yield at + self.length
            at += WEEK


@dataclass(frozen=True, slots=True)
class Dated:
    """From one moment to another."""

    start: datetime
    end: datetime

    def holds(self, wall: datetime) -> bool:
        """Whether that moment lies in it."""
        return self.start <= wall < self.end

    def edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Yield both, where they are in question."""
        yield from (edge for edge in (self.start, self.end) if first <= edge <= last)


@dataclass(frozen=True, slots=True)
class Recurring:
    """So long from each occurrence of an RRULE on."""

    rule: recurrence.Rule
    length: timedelta

    def holds(self, wall: datetime) -> bool:
        """Whether that moment lies in it."""
        starts = self.rule.occurrences(wall.year)
        before = bisect_right(starts, wall)
        return before > 0 and wall < starts[before - 1] + self.length

    def edges(self, first: datetime, last: datetime) -> Iterator[datetime]:
        """Yield starts and ends of those occurrences."""
        for start in self.rule.occurrences(first.year):
            yield from (edge for edge in (start, start + self.length) if first <= edge <= last)


def parse(item: object) -> list[Range]:
    """Return the ranges that one item of a calendar writes.

    Parameters:
        item: a text such as ``Mon-Thu 09:00-16:00`` or ``2026-12-20..2027-01-03``, or texts under ``rrule``, ``start``
            and ``duration``.

    Raises:
        ValueError: it is none of these; says what is wrong with it.
    """
    if isinstance(item, Mapping):
        return [_recurring(item)]
    text = re.sub(
        r"\s*(\.\.|[,\u2013-])\s*", lambda found: found[1].replace("\u2013", "-"), " ".join(str(item).split())
    )
    if re.match(r"\d{4}-", text):
        return [_dated(text)]
    return _weekly(text)


def moment(text: str) -> datetime:
    """Return the time of the wall's clock that ``2026-12-20`` (its midnight) or ``2026-12-20 18:00`` writes.

    Raises:
        ValueError: it writes none, or one too far away.
    """
    if not re.fullmatch(_DATE, text):
        raise ValueError(f"{text!r} is no date such as 2026-12-20 or 2026-12-20 18:00")
    day, _, clock = text.replace("T", " ").partition(" ")
    hour, minute, *_ = [*clock.split(":"), "0", "0"] if clock else ["0", "0"]
    try:
        found = datetime.combine(date.fromisoformat(day), time()) + _clock(hour, minute)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date: {error}") from None
    if found.year not in YEARS:
        raise ValueError(f"{text!r} is too far away; years go from {YEARS[0]} to {YEARS[-1]}")
    return found


def _recurring(item: Mapping[object, object]) -> Recurring:
    keys = {"rrule", "start", "duration"}
    for odd in sorted(set(item) ^ keys, key=str):
        raise ValueError(f"{odd} is missing" if odd in keys else f"it has '{odd}' beside rrule, start and duration")
    length = options.duration(item["duration"])
    if length is None or not timedelta(0) < length <= LONGEST:
        raise ValueError(f"its duration must be more than nothing and at most {LONGEST.days}d")
    return Recurring(recurrence.parse(str(item["rrule"]), moment(str(item["start"]))), length)


def _dated(text: str) -> Dated:
    first, dots, last = text.partition("..")
    if ":" in first and not dots:
        raise ValueError(f"it has no end; write {first}..{first.split()[0]} 24:00")
    start, end = moment(first), moment(last if dots else first)
    if ":" not in (last if dots else first):
        # A day without a time is meant whole.
        end += DAY
    if end <= start:
        raise ValueError("it ends before it begins")
    return Dated(start, end)


def _weekly(text: str) -> list[Range]:
    across = re.fullmatch(rf"({_DAY}) {_CLOCK}-({_DAY}) {_CLOCK}", text)
    if across:
        start = _day(across[1]) * DAY + _clock(across[2], across[3])
        end = _day(across[4]) * DAY + _clock(across[5], across[6])
        return [Weekly(start % WEEK, _length(end - start, WEEK))]
    found = re.fullmatch(
        rf"({_DAY}(?:[,-]{_DAY})*)?(?:(?:^|(?<=\w) ){_CLOCK}-{_CLOCK}((?:,{_CLOCK}-{_CLOCK})*))?", text
    )
    if not found or not text:
        raise ValueError("it is neither days and times of a week nor dates")
    clocks = re.findall(rf"{_CLOCK}-{_CLOCK}", text) or [("00", "00", "24", "00")]
    return [_on(day, *clock) for day in _days(found[1]) for clock in clocks]


def _on(day: int, hour: str, minute: str, last_hour: str, last_minute: str) -> Weekly:
    start, end = _clock(hour, minute), _clock(last_hour, last_minute)
    return Weekly((day * DAY + start) % WEEK, _length(end - start, DAY))


def _length(length: timedelta, around: timedelta) -> timedelta:
    """Return how long it is until the same clock shows the end; one that is earlier is meant the next time round."""
    if not length:
        raise ValueError("it begins and ends at the same time; a whole day is 00:00-24:00")
    return length if length > timedelta(0) else length + around


def _days(text: str | None) -> list[int]:
    if not text:
        return list(range(7))
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = _day(first)
        count = (_day(last) - start) % 7 if dash else 0
        found.update({(start + more) % 7: None for more in range(count + 1)})
    return list(found)


def _day(text: str) -> int:
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for number, name in enumerate(full):
        if len(text) >= 3 and name.startswith(text.lower()):
            return number
    raise ValueError(f"'{text}' is no day of the week; they are {', '.join(DAYS)}")


def _clock(hour: str, minute: str) -> timedelta:
    at = timedelta(hours=int(hour), minutes=int(minute))
    if int(minute) > 59 or at > DAY:
        raise ValueError(f"{hour}:{minute} is no time of the day, which goes from 00:00 to 24:00")
    return at
