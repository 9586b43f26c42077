"""When a calendar holds, and until when: ranges in the time of one zone, right over changes of its clocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from herodeploy.gates.ranges import Range, parse
from herodeploy.gates.recurrence import AHEAD

# Most calendars change within days; those that do not are looked at as far as is worth it.
_STRIDES = (timedelta(days=9), timedelta(days=100), timedelta(days=366 * (AHEAD + 1)))
# More than any zone has ever moved its clocks.
_SLACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class State:
    """What a calendar says at one moment.

    Parameters:
        holds: whether the moment lies in one of its ranges.
        until: when that changes next; None where it does not before `horizon` ends.
        horizon: the last year that was looked at.
    """

    holds: bool
    until: datetime | None
    horizon: int


class Calendar:
    """Ranges in the time of one zone.

    Parameters:
        zone: an IANA time zone.
    """

    def __init__(self, ranges: Iterable[Range], zone: ZoneInfo) -> None:
        self._ranges = tuple(ranges)
        self._zone = zone
        self._known: tuple[datetime, State] | None = None

    def at(self, now: datetime) -> State:
        """Return what it says at that moment.

        Parameters:
            now: with a time zone, any.
        """
        horizon = now.astimezone(self._zone).year + AHEAD
        if self._known is not None:
            # Thousands of deliveries ask the same calendar; in between two changes its answer is one.
            since, state = self._known
            if state.horizon == horizon and since <= now and (state.until is None or now < state.until):
                return state
        state = State(self._holds(now), self._change(now, horizon), horizon)
        self._known = now, state
        return state

    def shown(self, moment: datetime) -> str:
        """Return a moment as people of that zone write it."""
        return f"{moment.astimezone(self._zone):%a %Y-%m-%d %H:%M} {self._zone.key}"

    def _holds(self, moment: datetime) -> bool:
        wall = moment.astimezone(self._zone).replace(tzinfo=None)
        return any(each.holds(wall) for each in self._ranges)

    def _change(self, now: datetime, horizon: int) -> datetime | None:
        """Return the first moment after `now` at which it says something else, to the end of year `horizon`."""
        holds, after = self._holds(now), now
        end = datetime(horizon + 1, 1, 1, tzinfo=self._zone) - timedelta(seconds=1)
        for stride in _STRIDES:
            before = min(now + stride, end)
            for moment in self._moments(after, before):
                if self._holds(moment) is not holds:
                    return moment
            after = before
        return None

    def _moments(self, after: datetime, before: datetime) -> list[datetime]:
        """Return the moments after one and up to another at which it may change, in order."""
        first = after.astimezone(self._zone).replace(tzinfo=None) - _SLACK
        last = before.astimezone(self._zone).replace(tzinfo=None) + _SLACK
        edges = {edge for each in self._ranges for edge in each.edges(first, last)}
        moments = {moment for edge in edges for moment in self._when(edge)}
        return sorted(moment for moment in moments if after < moment <= before)

    def _when(self, wall: datetime) -> Iterator[datetime]:
        """Yield when the clock on the wall shows that; where it is turned then, also the moment at which it is."""
        one, other = (wall.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        yield one
        if one != other:
            yield other
            yield self._turn(min(one, other), max(one, other))

    def _turn(self, low: datetime, high: datetime) -> datetime:
        """Return the moment, to the second, at which the clocks are turned: after `low`, at `high` at the latest."""
        before = low.astimezone(self._zone).utcoffset()
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            middle -= timedelta(microseconds=middle.microsecond)
            if middle.astimezone(self._zone).utcoffset() == before:
                low = middle
            else:
                high = middle
        return high


def calendar_of(items: Iterable[object], timezone: str) -> Calendar:
    """Return the calendar that items of herodeploy.yml write.

    Parameters:
        items: as of `ranges.parse`.

    Raises:
        ValueError: one of them is no range.
        KeyError: there is no such time zone.
    """
    return _calendar(json.dumps(list(items), sort_keys=True), timezone)


@lru_cache(maxsize=256)
def _calendar(items: str, timezone: str) -> Calendar:
    return Calendar([each for item in json.loads(items) for each in parse(item)], zone(timezone))


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """Return an IANA time zone.

    Raises:
        KeyError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise KeyError(name) from error


def plain(item: object) -> object:
    """Return an item as a sentence shows it."""
    if isinstance(item, Mapping):
        return f"{item['rrule']} from {item['start']} for {item['duration']}"
    return item
