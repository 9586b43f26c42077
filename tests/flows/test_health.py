"""An app's log, as Heroku writes it, says how the app did."""

from __future__ import annotations

import pytest

from herodeploy.flows.health import count

AT = "2026-11-23T12:00:{:02}.000000+00:00"
BEFORE = "2026-11-23T11:59:59.999999+00:00"


def router(second: int, words: str) -> str:
    return f'{AT.format(second)} heroku[router]: {words} method=GET path="/" host=x request_id=1 fwd="::1" dyno=web.1'


OK = "at=info status=200"


@pytest.mark.parametrize(
    ("words", "errors"),
    [
        (OK, {}),
        ("at=info status=404", {}),
        ("at=info status=500", {"500": 1}),
        ("at=info status=503", {"503": 1}),
        ('at=error code=H10 desc="App crashed" status=503', {"H10": 1}),
        ('at=error code=H12 desc="Request timeout" status=503', {"H12": 1}),
        ('at=error code=H21 desc="Backend connection refused" status=503', {"H21": 1}),
        ('at=error code=H18 desc="Request Interrupted" sock=backend status=503', {"H18": 1}),
        ('at=error code=H18 desc="Request Interrupted" sock=client status=503', {}),
        ('at=info code=H80 desc="Maintenance mode" status=503', {"503": 1}),
        ('at=error code=H27 desc="Client Request Interrupted" status=499', {}),
    ],
)
def test_each_request_counts_once(words: str, errors: dict[str, int]) -> None:
    found = count([router(1, words)], BEFORE)
    assert (found.requests, dict(found.errors)) == (1, errors)


@pytest.mark.parametrize(
    ("path", "status", "errors"),
    [
        ("/?status=500", "200", {}),
        ("/ status=500 code=H10 sock=client ", "200", {}),
        ("/?status=200", "500", {"500": 1}),
        ("/ sock=client ", "500", {"500": 1}),
    ],
)
def test_what_visitors_write_decides_nothing(path: str, status: str, errors: dict[str, int]) -> None:
    words = f'at=info method=GET path="{path}" host=x request_id=1 fwd="::1" dyno=web.1 connect=0ms service=1ms'
    found = count([f"{AT.format(1)} heroku[router]: {words} status={status} bytes=2 protocol=https"], BEFORE)
    assert dict(found.errors) == errors


def test_only_what_came_since_is_counted() -> None:
    lines = [router(second, "at=info status=500") for second in range(10)]
    found = count(lines, AT.format(6))
    assert (found.requests, found.rate, found.newest) == (3, 1.0, AT.format(9))
    again = count(lines, found.newest)
    assert (again.requests, again.rate, again.newest) == (0, 0.0, AT.format(9))


def test_a_first_count_only_notes_the_place() -> None:
    found = count([router(5, "at=info status=500")], None)
    assert (found.requests, found.newest) == (0, AT.format(5))
    assert count([], None).newest == ""
    assert count([router(5, OK)], "").requests == 1


def test_lines_may_come_out_of_order() -> None:
    found = count([router(5, OK), router(4, OK)], BEFORE)
    assert (found.requests, found.newest) == (2, AT.format(5))


def test_crashes_are_found_among_the_platforms_lines_alone() -> None:
    lines = [
        f"{AT.format(1)} heroku[web.1]: State changed from up to crashed",
        f"{AT.format(2)} heroku[worker.2]: State changed from starting to crashed",
        f"{AT.format(3)} heroku[web.2]: State changed from up to starting",
        f"{AT.format(4)} app[web.3]: State changed from up to crashed",
        f"{AT.format(5)} heroku[web.1]: Error R14 (Memory quota exceeded)",
        "something else",
        f"nonsense heroku[router]: {OK}",
        "",
    ]
    found = count(lines, BEFORE)
    assert (found.crashed, found.requests, found.newest) == ({"web.1", "worker.2"}, 0, AT.format(5))


def test_other_zones_are_the_same_time() -> None:
    line = f"2026-11-23T13:00:01+01:00 heroku[router]: {OK}"
    assert count([line], AT.format(0)).requests == 1
    assert count([line], AT.format(1)).requests == 0
