"""Times as kept sentences write them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(at: datetime) -> str:
    """Return a time of any zone to the minute, in the form that is turned into the reader's time when it is shown."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def utc_exact(at: datetime) -> str:
    """Return a time as `utc` does, to the second: for one that may be less than a minute away."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
