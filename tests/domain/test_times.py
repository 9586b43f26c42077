from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from herodeploy.domain.times import utc


def test_a_kept_time_is_utc_whatever_zone_it_came_in() -> None:
    at = datetime(2026, 11, 26, 13, 0, 59, tzinfo=timezone(timedelta(hours=1)))
    assert utc(at) == utc(at.astimezone(UTC)) == "2026-11-26 12:00 UTC"
