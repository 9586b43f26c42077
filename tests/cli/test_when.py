from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.cli import layout, when
from herodeploy.errors import UsageError

NOON = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Summer time begins there in the night after NOON."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("18:30", datetime(2026, 3, 28, 17, 30, tzinfo=UTC)),
        ("9:15", datetime(2026, 3, 29, 7, 15, tzinfo=UTC)),
        ("2026-12-24", datetime(2026, 12, 23, 23, 0, tzinfo=UTC)),
        ("2026-07-01 10:00", datetime(2026, 7, 1, 8, 0, tzinfo=UTC)),
        ("2026-07-01T10:00Z", datetime(2026, 7, 1, 10, 0, tzinfo=UTC)),
        ("2026-07-01 10:00 UTC", datetime(2026, 7, 1, 10, 0, tzinfo=UTC)),
        ("2026-07-01 10:00:30 UTC-0300", datetime(2026, 7, 1, 13, 0, 30, tzinfo=UTC)),
        ("2026-07-01 10:00 CEST", datetime(2026, 7, 1, 8, 0, tzinfo=UTC)),
        ("2026-10-25 02:30 CEST", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25 02:30 CET", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_of_this_machines_clock_unless_it_says_otherwise(text: str, at: datetime) -> None:
    assert when.point(text, NOON, "--until") == at


@pytest.mark.parametrize("text", ["", "soon", "25:00", "12:60", "9999-99-99", "2026-07-01 10:00 CET", "now UTC"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=f"--until is '{text}', which is no time") as caught:
        when.point(text, NOON, "--until")
    assert "18:30" in str(caught.value.hint)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)))
def test_a_time_that_is_shown_can_be_given(at: datetime) -> None:
    assert when.point(layout.moment(at), NOON, "--until") == at.replace(microsecond=0)


def test_an_end_is_a_time_or_a_length_or_none() -> None:
    assert when.end(None, None, NOON) is None
    assert when.end(None, "1h30m", NOON) == NOON + timedelta(minutes=90)
    with pytest.raises(UsageError, match="--for is 'long'"):
        when.end(None, "long", NOON)
    with pytest.raises(UsageError, match="both say when it ends"):
        when.end("18:30", "2h", NOON)
