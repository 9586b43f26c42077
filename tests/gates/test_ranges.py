"""How ranges of a calendar are written."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from herodeploy.gates.ranges import Dated, Weekly, parse

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mon 09:00-16:00", [Weekly(9 * HOUR, 7 * HOUR)]),
        ("monday 9:00 - 16:00", [Weekly(9 * HOUR, 7 * HOUR)]),
        ("Mon-Tue 09:00-16:00", [Weekly(9 * HOUR, 7 * HOUR), Weekly(DAY + 9 * HOUR, 7 * HOUR)]),
        ("Mon, Wed", [Weekly(0 * DAY, DAY), Weekly(2 * DAY, DAY)]),
        ("Sun-Mon 22:00-06:00", [Weekly(6 * DAY + 22 * HOUR, 8 * HOUR), Weekly(22 * HOUR, 8 * HOUR)]),
        ("Tue 08:00-12:00, 13:00-17:00", [Weekly(DAY + 8 * HOUR, 4 * HOUR), Weekly(DAY + 13 * HOUR, 4 * HOUR)]),
        ("Fri 16:00-Mon 08:00", [Weekly(4 * DAY + 16 * HOUR, 64 * HOUR)]),
        ("Mon 00:00-Sun 24:00", [Weekly(0 * DAY, 7 * DAY)]),
        ("Sun 16:00-24:00", [Weekly(6 * DAY + 16 * HOUR, 8 * HOUR)]),
        ("22:00\u201306:00", [Weekly(n * DAY + 22 * HOUR, 8 * HOUR) for n in range(7)]),
        ("2026-12-24", [Dated(datetime(2026, 12, 24), datetime(2026, 12, 25))]),
        ("2026-12-20..2027-01-03", [Dated(datetime(2026, 12, 20), datetime(2027, 1, 4))]),
        ("2026-12-20 18:00 .. 2027-01-03", [Dated(datetime(2026, 12, 20, 18), datetime(2027, 1, 4))]),
        ("2026-12-20..2026-12-21T9:30", [Dated(datetime(2026, 12, 20), datetime(2026, 12, 21, 9, 30))]),
        ("2026-12-31 12:00..2026-12-31 24:00", [Dated(datetime(2026, 12, 31, 12), datetime(2027, 1, 1))]),
    ],
)
def test_what_is_written_is_understood(text: str, found: list[object]) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("", "neither days and times of a week nor dates"),
        ("9-16", "neither days and times of a week nor dates"),
        ("Mon 09:00", "neither days and times of a week nor dates"),
        ("Mo-Fri", "'Mo' is no day of the week; they are Mon, Tue"),
        ("Mon 25:00-26:00", "25:00 is no time of the day"),
        ("Mon 09:60-10:00", "09:60 is no time of the day"),
        ("Mon 09:00-09:00", "a whole day is 00:00-24:00"),
        ("2026-12-24 09:00", "it has no end; write 2026-12-24 09:00..2026-12-24 24:00"),
        ("2026-13-24", "'2026-13-24' is no date"),
        ("2026-12-24..2026-12-23", "it ends before it begins"),
        ("2026-12-24..soon", "'soon' is no date such as"),
        ("1066-10-14", "years go from 1970 to 2199"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01"}, "duration is missing"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01", "duration": "1h", "tz": "x"}, "it has 'tz' beside rrule"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01", "duration": "0s"}, "must be more than nothing"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01", "duration": "400d"}, "at most 366d"),
        ({"rrule": "FREQ=DAILY", "start": "soon", "duration": "1h"}, "'soon' is no date"),
        ({"rrule": "FREQ=SECONDLY", "start": "2026-01-01", "duration": "1s"}, "FREQ is SECONDLY; one of DAILY"),
        ({"rrule": "BYDAY=MO", "start": "2026-01-01", "duration": "1s"}, "FREQ is missing"),
        ({"rrule": "daily", "start": "2026-01-01", "duration": "1s"}, "'DAILY' is not as in FREQ="),
        (
            {"rrule": "FREQ=DAILY;BYHOUR=9", "start": "2026-01-01", "duration": "1h"},
            "no BYHOUR; the time of the day is",
        ),
        ({"rrule": "FREQ=DAILY;BYEASTER=1", "start": "2026-01-01", "duration": "1h"}, "no BYEASTER"),
        ({"rrule": "FREQ=DAILY;BYDAY=XX", "start": "2026-01-01", "duration": "1h"}, "is no RRULE: invalid 'BYDAY'"),
        ({"rrule": "FREQ=DAILY;COUNT=99999", "start": "2026-01-01", "duration": "1h"}, "COUNT is 99999; it goes"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0", "start": "2026-01-01", "duration": "1h"}, "INTERVAL is 0; it goes"),
        ({"rrule": "FREQ=DAILY;UNTIL=soon", "start": "2026-01-01", "duration": "1h"}, "UNTIL is SOON; write it as"),
        ({"rrule": "FREQ=DAILY;UNTIL=20261399", "start": "2026-01-01", "duration": "1h"}, "which is no date"),
        ({"rrule": "FREQ=DAILY;UNTIL=20200101", "start": "2026-01-01", "duration": "1h"}, "never occurs after"),
    ],
)
def test_what_is_wrong_is_said(item: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(item)
    assert message in str(caught.value)


@settings(deadline=None)
@given(st.text(alphabet="MonTueFri 0123456789:-.,/T", max_size=30))
def test_any_text_is_a_range_or_refused(text: str) -> None:
    assert understood(text) is not None


@settings(deadline=None)
@given(st.text(alphabet="FREQ=DAILYWKMONTH;BYDAYSETPOS0123456789,-UNTILCOUNT", max_size=40), st.datetimes())
def test_any_rule_is_one_or_refused(text: str, start: datetime) -> None:
    item = {"rrule": f"FREQ=DAILY;{text}", "start": f"{start:%Y-%m-%d %H:%M}", "duration": "1h"}
    assert understood(item) is not None


def understood(item: object) -> bool | None:
    """Return whether it is a range; None where it is neither taken nor refused with words."""
    try:
        return True if parse(item) else None
    except ValueError as refused:
        return False if str(refused) else None
