"""Times as people write them on a command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from herodeploy.errors import UsageError

EXAMPLES = "such as 18:30, 2026-12-24, '2026-12-24 18:30' or 2026-12-24T18:30+01:00"


def length(text: str, option: str) -> timedelta:
    """Return a length of time such as ``10m`` or ``1h30m``.

    Parameters:
        option: where it was written, for the error.

    Raises:
        UsageError: it is none, or nothing.
    """
    from herodeploy.config import durations

    try:
        found = durations.parse(text)
    except ValueError:
        found = timedelta()
    if found <= timedelta():
        raise UsageError(f"{option} is '{text}', which is no length of time", hint="such as 90s, 10m, 1h30m or 2d")
    return found


def point(text: str, now: datetime, option: str) -> datetime:
    """Return a point in time, of this machine's clock where the text names no zone; an hour of day is the next one.

    What herodeploy prints can be given: it ends with UTC, a distance from it, or the name of this machine's zone.

    Raises:
        UsageError: it is none.
    """
    here = now.astimezone()
    if clock := re.fullmatch(r"(\d{1,2}):(\d\d)", text.strip()):
        hour, minute = map(int, clock.groups())
        if hour < 24 and minute < 60:
            # As this machine's clock shows it on that day: the change to summer time may lie between.
            today = here.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
            return next(at for day in (0, 1) if (at := (today + timedelta(days=day)).astimezone()) > now)
    try:
        return _written(text.strip())
    except (ValueError, OverflowError, OSError, StopIteration):
        raise UsageError(f"{option} is '{text}', which is no time", hint=EXAMPLES) from None


def _written(text: str) -> datetime:
    time, _, zone = text.rpartition(" ")
    if distance := re.fullmatch(r"UTC([+-]\d{4})?", zone):
        return datetime.fromisoformat(f"{time}{distance[1] or 'Z'}").astimezone()
    if not zone.isalpha():
        return datetime.fromisoformat(text).astimezone()
    local = datetime.fromisoformat(time)
    # An hour that comes twice has a name each time.
    return next(at for fold in (0, 1) if (at := local.replace(fold=fold).astimezone()).tzname() == zone)


def end(until: str | None, lasting: str | None, now: datetime) -> datetime | None:
    """Return when something ends that ends at a time or after a while; None where neither is given.

    Raises:
        UsageError: both are given, or what is given cannot be read.
    """
    if until is not None and lasting is not None:
        raise UsageError("--until and --for both say when it ends", hint="give one of them")
    if lasting is not None:
        return now + length(lasting, "--for")
    return point(until, now, "--until") if until is not None else None
