"""Calendars of herodeploy.yml: time zones, and ranges of days and times."""

from __future__ import annotations

import difflib
from datetime import date, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from herodeploy.config import durations
from herodeploy.config.values import DURATION_SCHEMA, refuse, shown
from herodeploy.gates import calendar, ranges

MOST = 200


def _timezone(value: object) -> object:
    if isinstance(value, str):
        try:
            calendar.zone(value)
        except KeyError:
            raise refuse(f"is {shown(value)}, which is no IANA time zone", _like(value)) from None
    return value


def _like(value: str) -> str:
    import zoneinfo

    known = {name.lower(): name for name in zoneinfo.available_timezones()}
    by_city = {name.rpartition("/")[2]: name for name in sorted(known)}
    word = value.lower().replace(" ", "_")
    near = difflib.get_close_matches(word, [*known, *by_city], n=1)
    return f"did you mean '{known[by_city.get(near[0], near[0])]}'?" if near else "such as Europe/Berlin"


def _range(value: object) -> object:
    """Return one range in texts and numbers, as gates and the store keep it."""
    item = _plain(value)
    try:
        ranges.parse(item)
    except ValueError as error:
        what = shown(value) if not isinstance(value, dict) else "no recurring range"
        raise refuse(f"is {what}: {error}", f"write a range {ranges.EXAMPLES}") from None
    return item


def _plain(value: object) -> object:
    # YAML reads 2026-12-24 as a date; a length of time may be written in more ways than gates read.
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, dict):
        if not isinstance(value, str):
            raise refuse(f"is {shown(value)}, which is no range", f"write a range {ranges.EXAMPLES}")
        return value
    return {str(key): _length(each) if key == "duration" else _text(each) for key, each in value.items()}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _length(value: object) -> str:
    try:
        return durations.write(durations.parse(str(value)) or timedelta(0))
    except ValueError:
        raise _no_duration(value) from None


def _no_duration(value: object) -> PydanticCustomError:
    return refuse(f"has the duration {shown(value)}, which is no length of time", "such as 90m, 6h or 2d")


def _listed(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


_RECURRING_SCHEMA = {
    "type": "object",
    "properties": {
        "rrule": {"type": "string", "description": "An RRULE of RFC 5545, such as FREQ=MONTHLY;BYDAY=-1FR."},
        "start": {"type": "string", "description": "The first date and time of day."},
        "duration": {**DURATION_SCHEMA, "description": "How long each time."},
    },
    "required": ["rrule", "start", "duration"],
    "additionalProperties": False,
}
_RANGE_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, _RECURRING_SCHEMA]}
_RANGES_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": _RANGE_SCHEMA, "minItems": 1, "maxItems": MOST},
        *_RANGE_SCHEMA["anyOf"],
    ]
}
Timezone = Annotated[str, BeforeValidator(_timezone)]
CalendarRange = Annotated[Any, BeforeValidator(_range)]
Ranges = Annotated[
    list[CalendarRange],
    Field(min_length=1, max_length=MOST),
    BeforeValidator(_listed),
    WithJsonSchema(_RANGES_SCHEMA),
]
