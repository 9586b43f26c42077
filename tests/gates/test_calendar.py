"""A calendar against one that asks a clock on the wall every minute, and by hand where clocks are turned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from herodeploy.gates import recurrence
from herodeploy.gates.calendar import Calendar, calendar_of, zone
from herodeploy.gates.ranges import DAYS, parse

Item = str | dict[str, str]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Moments at which the clocks of these zones are turned: by an hour, by half of one, by a day.
TURNS = {
    "Europe/Berlin": [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1)],
    "America/New_York": [datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6)],
    "America/Santiago": [datetime(2026, 4, 5, 3), datetime(2026, 9, 6, 4)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15), datetime(2026, 10, 3, 15, 30)],
    "Pacific/Apia": [datetime(2011, 12, 30, 10)],
    "Asia/Kathmandu": [datetime(2026, 5, 1)],
    "UTC": [datetime(2026, 12, 31, 23)],
}


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


times = st.builds(lambda quarters: 15 * quarters, st.integers(0, 95))
weekly = st.builds(
    lambda first, last, one, other: f"{DAYS[first]}-{DAYS[last]} {clock(one)}-{clock(other)}",
    st.integers(0, 6), st.integers(0, 6), times, times,
).filter(lambda text: text[8:13] != text[14:])  # fmt: skip
across = st.builds(
    lambda first, last, one, other: f"{DAYS[first]} {clock(one)}-{DAYS[last]} {clock(other)}",
    st.integers(0, 6), st.integers(0, 6), times, times,
).filter(lambda text: text[:9] != text[10:])  # fmt: skip


def dated(near: datetime) -> st.SearchStrategy[str]:
    moments = st.builds(lambda n: f"{near + n * timedelta(minutes=15):%Y-%m-%d %H:%M}", st.integers(-400, 400))
    return st.builds(lambda one, other: f"{min(one, other)}..{max(one, other)}", moments, moments).filter(
        lambda text: text[:16] != text[18:]
    )


def recurring(near: datetime) -> st.SearchStrategy[dict[str, str]]:
    rules = st.sampled_from(
        ["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=9", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE", "FREQ=MONTHLY;BYDAY=-1SU",
         "FREQ=YEARLY;BYMONTH=3,10,11;BYDAY=SU", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY",
         f"FREQ=WEEKLY;UNTIL={near + DAY:%Y%m%d}"]
    )  # fmt: skip
    starts = st.builds(lambda n: f"{near - n * DAY + n * timedelta(minutes=45):%Y-%m-%d %H:%M}", st.integers(0, 900))
    lengths = st.sampled_from(["30m", "90m", "6h", "1d", "3d"])
    return st.builds(lambda rule, start, d: {"rrule": rule, "start": start, "duration": d}, rules, starts, lengths)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Item], str, datetime]:
    name = draw(st.sampled_from(list(TURNS)))
    turn = draw(st.sampled_from(TURNS[name])).replace(tzinfo=UTC)
    near = turn.astimezone(ZoneInfo(name)).replace(tzinfo=None)
    near -= timedelta(minutes=near.minute)
    items = draw(st.lists(st.one_of(weekly, across, dated(near), recurring(near)), min_size=1, max_size=3))
    return items, name, turn + draw(st.integers(-3 * 1440, 2 * 1440)) * MINUTE


# The oracle: every range as stretches of the wall's clock, written out day by day, and every minute looked at.


def stretches(item: Item, around: date) -> list[tuple[datetime, datetime]]:
    if isinstance(item, dict):
        length = {"30m": MINUTE * 30, "90m": MINUTE * 90, "6h": MINUTE * 360, "1d": DAY, "3d": 3 * DAY}[
            item["duration"]
        ]
        text, _, until = item["rrule"].partition(";UNTIL=")
        rule = rrulestr(text, dtstart=datetime.strptime(item["start"], "%Y-%m-%d %H:%M"))
        if until:
            rule = rule.replace(until=datetime.strptime(until, "%Y%m%d") + DAY - MINUTE)
        low = datetime.combine(around, datetime.min.time())
        return [(start, start + length) for start in rule.between(low - 9 * DAY, low + 20 * DAY, inc=True)]
    if ".." in item:
        one, other = (datetime.strptime(each, "%Y-%m-%d %H:%M") for each in item.split(".."))
        return [(one, other)]
    found = []
    for ahead in range(-9, 20):
        day = datetime.combine(around + ahead * DAY, datetime.min.time())
        if item[3] == "-":
            first, last = DAYS.index(item[:3]), DAYS.index(item[4:7])
            inside = first <= day.weekday() <= last if first <= last else not last < day.weekday() < first
            starts, ends, more = item[8:13], item[14:], 0
        else:
            inside = DAYS[day.weekday()] == item[:3]
            more = (DAYS.index(item[10:13]) - day.weekday()) % 7
            starts, ends = item[4:9], item[14:]
        if inside:
            start, end = at(day, starts), at(day, ends) + more * DAY
            found.append((start, end if end > start else end + (DAY if item[3] == "-" else 7 * DAY)))
    return found


def at(day: datetime, text: str) -> datetime:
    return day + timedelta(hours=int(text[:2]), minutes=int(text[3:]))


def oracle(items: list[Item], name: str, now: datetime) -> tuple[bool, datetime | None]:
    """Return whether it holds, and the minute in the following week from which on that is different."""
    tz = ZoneInfo(name)
    known = [each for item in items for each in stretches(item, now.astimezone(tz).date())]

    def holds(moment: datetime) -> bool:
        wall = moment.astimezone(tz).replace(tzinfo=None)
        return any(start <= wall < end for start, end in known)

    now_holds = holds(now)
    minutes = (now + n * MINUTE for n in range(1, 8 * 1440))
    return now_holds, next((moment for moment in minutes if holds(moment) is not now_holds), None)


@given(questions())
@settings(max_examples=150, deadline=None)
@example((["Sun-Sun 02:30-03:30"], "Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC)))
@example((["Sun-Sun 02:30-03:30"], "Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC)))
@example((["Fri-Fri 00:00-12:00"], "Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)))
def test_it_says_what_a_clock_on_the_wall_says(question: tuple[list[Item], str, datetime]) -> None:
    items, name, now = question
    said = Calendar([each for item in items for each in parse(item)], zone(name)).at(now)
    holds, changes = oracle(items, name, now)
    assert said.holds is holds
    if changes is None:
        assert said.until is None or said.until >= now + 8 * DAY - MINUTE
    else:
        assert said.until == changes


@given(questions(), st.lists(st.integers(0, 20_000), max_size=6))
@settings(max_examples=50, deadline=None)
def test_a_calendar_that_was_asked_before_says_the_same(
    question: tuple[list[Item], str, datetime], minutes: list[int]
) -> None:
    items, name, now = question
    asked = Calendar([each for item in items for each in parse(item)], zone(name))
    for minute in minutes:
        moment = now + minute * MINUTE
        fresh = Calendar([each for item in items for each in parse(item)], zone(name))
        assert asked.at(moment) == fresh.at(moment)


def berlin(text: str) -> datetime:
    """Return a moment that is written with its distance from UTC."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("item", "now", "holds", "until"),
    [
        # 02:00 to 03:00 does not come on 29 March.
        ("02:15-02:45", "2026-03-28T12:00+01:00", False, "2026-03-30T02:15+02:00"),
        ("01:00-02:30", "2026-03-29T01:30+01:00", True, "2026-03-29T03:00+02:00"),
        ("02:30-04:00", "2026-03-29T01:30+01:00", False, "2026-03-29T03:00+02:00"),
        # 02:00 to 03:00 comes twice on 25 October.
        ("02:15-02:45", "2026-10-25T02:20+02:00", True, "2026-10-25T02:45+02:00"),
        ("02:15-02:45", "2026-10-25T02:50+02:00", False, "2026-10-25T02:15+01:00"),
        ("02:15-02:45", "2026-10-25T02:20+01:00", True, "2026-10-25T02:45+01:00"),
        ("01:00-02:30", "2026-10-25T02:40+02:00", False, "2026-10-25T02:00+01:00"),
        ("02:30-04:00", "2026-10-25T02:40+02:00", True, "2026-10-25T02:00+01:00"),
        ("01:00-03:00", "2026-10-25T01:00+02:00", True, "2026-10-25T03:00+01:00"),
        ("2026-10-25 02:15..2026-10-25 02:45", "2026-10-25T02:50+02:00", False, "2026-10-25T02:15+01:00"),
        # Six hours on the wall, seven and five on a watch.
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01 00:00", "duration": "6h"}, "2026-10-25T00:00+02:00", True,
         "2026-10-25T06:00+01:00"),
        ({"rrule": "FREQ=DAILY", "start": "2026-01-01 00:00", "duration": "6h"}, "2026-03-29T00:00+01:00", True,
         "2026-03-29T06:00+02:00"),
        # 09:00 is 09:00 in summer and in winter.
        ("Mon-Fri 09:00-10:00", "2026-10-23T11:00+02:00", False, "2026-10-26T09:00+01:00"),
    ],
)  # fmt: skip
def test_when_clocks_are_turned(item: Item, now: str, holds: bool, until: str) -> None:
    state = Calendar(parse(item), zone("Europe/Berlin")).at(berlin(now))
    assert (state.holds, state.until) == (holds, berlin(until))


@pytest.mark.parametrize(
    ("item", "now", "until"),
    [
        ("2026-12-20..2027-01-03", "2026-11-25T12:00+00:00", "2026-12-20T00:00+00:00"),
        ("2031-05-01", "2026-11-25T12:00+00:00", "2031-05-01T00:00+00:00"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "start": "2024-02-29 10:00", "duration": "1h"},
         "2026-11-25T12:00+00:00", "2028-02-29T10:00+00:00"),
        ({"rrule": "FREQ=YEARLY;INTERVAL=5", "start": "2024-06-01 10:00", "duration": "1h"},
         "2026-11-25T12:00+00:00", "2029-06-01T10:00+00:00"),
        ("2026-11-24", "2026-11-25T12:00+00:00", None),
        ("2037-01-01", "2026-11-25T12:00+00:00", None),
        ({"rrule": "FREQ=DAILY;COUNT=3", "start": "2026-11-01 10:00", "duration": "1h"},
         "2026-11-25T12:00+00:00", None),
        ({"rrule": "FREQ=DAILY;UNTIL=20261124", "start": "2026-11-01 10:00", "duration": "1h"},
         "2026-11-24T09:00+00:00", "2026-11-24T10:00+00:00"),
    ],
)  # fmt: skip
def test_it_looks_ahead_as_far_as_ten_years(item: Item, now: str, until: str | None) -> None:
    state = Calendar(parse(item), zone("UTC")).at(berlin(now))
    assert not state.holds
    assert state.until == (berlin(until) if until else None)
    assert state.horizon == 2036


@pytest.mark.parametrize("item", ["Mon-Sun", "00:00-12:00, 12:00-24:00"])
def test_one_that_always_holds_has_no_end(item: str) -> None:
    state = Calendar(parse(item), zone("Europe/Berlin")).at(berlin("2026-11-25T12:00+01:00"))
    assert (state.holds, state.until) == (True, None)


def test_ranges_that_meet_are_one() -> None:
    state = Calendar([*parse("Mon 09:00-12:00"), *parse("Mon 12:00-15:00")], zone("UTC")).at(
        berlin("2026-11-23T10:00+00:00")
    )
    assert state.until == berlin("2026-11-23T15:00+00:00")


def test_ten_thousand_deliveries_ask_one_calendar() -> None:
    asked: list[datetime] = []

    class Watched:
        def holds(self, wall: datetime) -> bool:
            asked.append(wall)
            return False

        def edges(self, first: datetime, last: datetime) -> list[datetime]:
            return []

    calendar = Calendar([Watched()], zone("UTC"))  # type: ignore[list-item]
    for seconds in range(1000):
        assert not calendar.at(berlin("2026-11-25T12:00+00:00") + timedelta(seconds=seconds)).holds
    assert len(asked) < 10
    items = ["Mon-Thu 09:00-16:00", {"rrule": "FREQ=DAILY", "start": "2026-01-01", "duration": "1h"}]
    assert calendar_of(items, "UTC") is calendar_of(list(items), "UTC")


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what tells how many years dateutil has gone through."""
    from dateutil import rrule

    rebuilt = 0
    rebuild = rrule._iterinfo.rebuild  # type: ignore[attr-defined]

    def counting(self: object, year: int, month: int) -> object:
        nonlocal rebuilt
        rebuilt += year != getattr(self, "lastyear", None)
        return rebuild(self, year, month)

    monkeypatch.setattr(rrule._iterinfo, "rebuild", counting)  # type: ignore[attr-defined]
    return lambda: rebuilt


@pytest.mark.parametrize("frequency", recurrence.FREQUENCIES)
def test_a_rule_that_never_occurs_is_found_out_within_bounds(frequency: str, monkeypatch: pytest.MonkeyPatch) -> None:
    years = counted(monkeypatch)
    with pytest.raises(ValueError, match="never occurs after its start"):
        recurrence.parse(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30", datetime(2026, 1, 1, 9))
    assert 400 <= years() <= 810, "dateutil would go on for eight thousand"


def test_a_rule_that_ended_long_ago_is_looked_at_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = recurrence.parse("FREQ=DAILY;BYDAY=MO;BYMONTHDAY=29;BYMONTH=2;UNTIL=20300101", datetime(1988, 2, 29, 9))
    years = counted(monkeypatch)
    assert rule.occurrences(2026) == ()
    assert years() <= 810


RULES = [
    "FREQ=DAILY;INTERVAL=7", "FREQ=WEEKLY;WKST=SU;INTERVAL=3;BYDAY=SU,TU", "FREQ=MONTHLY;INTERVAL=5",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "FREQ=YEARLY;BYYEARDAY=-1,100", "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=40",
]  # fmt: skip


@given(st.sampled_from(RULES), st.datetimes(datetime(1990, 1, 1), datetime(2026, 1, 1)), st.integers(2026, 2060))
@settings(max_examples=60, deadline=None)
def test_four_hundred_years_later_the_calendar_is_the_same(text: str, start: datetime, year: int) -> None:
    start = start.replace(second=0, microsecond=0)
    expected = rrulestr(text, dtstart=start).between(
        datetime(year - recurrence.BACK, 1, 1), datetime(year + recurrence.AHEAD, 12, 31, 23, 59), inc=True
    )
    assert list(recurrence.parse(text, start).occurrences(year)) == expected
