from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import Request

from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import ApiError
from herodeploy.local.wire.reply import Reply

KEYS = ("version", "id")


@dataclass
class Row:
    id: str
    version: int


ROWS = [Row(f"id-{number:03}", number) for number in (3, 1, 5, 2, 4)]


def page(header: str | None, rows: list[Row] = ROWS) -> Reply:
    headers = [] if header is None else [(b"range", header.encode("latin-1"))]
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})
    return ranges.page(request, rows, lambda row: row.version, KEYS)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("", [1, 2, 3, 4, 5]),
        ("version ..; max=2, order=desc", [5, 4]),
        ("version ..; order=desc,max=1", [5]),
        ("version ..; max=2,order=desc", [5, 4]),
        ("version ..; order=desc", [5, 4, 3, 2, 1]),
        ("version ..; order=desc; max=2;", [5, 4]),
        ("version ..; ;", [1, 2, 3, 4, 5]),
        ("id ..; max=1000;", [1, 2, 3, 4, 5]),
        ("version ]2..; max=2", [3, 4]),
        ("version 2..4", [2, 3, 4]),
        ("version ]2..4[; max=100", [3]),
        ("version ]4..; order=desc", [3, 2, 1]),
        ("id id-002..id-003", [2, 3]),
        ("version ..; max=5000", [1, 2, 3, 4, 5]),
        (f"version ..; max={'9' * 5000}", [1, 2, 3, 4, 5]),
    ],
)
def test_every_form_that_clients_send_is_understood(header: str | None, expected: list[int]) -> None:
    assert page(header).body == expected


@pytest.mark.parametrize(
    "header",
    ["bytes=0-", "name ..", "version ..; max=0", "version ..; max=\xb2", "version ..; max=x", "version x..", "?"],
)
def test_a_range_that_makes_no_sense_is_refused(header: str) -> None:
    with pytest.raises(ApiError) as caught:
        page(header)
    assert (caught.value.status, caught.value.id) == (416, "requested_range_not_satisfiable")


def test_a_cut_list_says_where_the_next_page_begins() -> None:
    first = page("version ..; max=2, order=desc")
    assert first.status == 206
    assert dict(first.headers) == {
        "Accept-Ranges": "version, id",
        "Content-Range": "version 5..4; max=2, order=desc",
        "Next-Range": "version ]4..; max=2, order=desc",
    }


def test_following_next_range_ends_with_a_page_without_one() -> None:
    """A server that always sends Next-Range would keep the Heroku CLI in a loop for ever."""
    header: str | None = "version ..; max=2"
    seen: list[Any] = []
    while header is not None:
        reply = page(header)
        seen += reply.body
        header = reply.headers.get("Next-Range")
    assert seen == [1, 2, 3, 4, 5]


def test_an_empty_list_has_no_content_range() -> None:
    reply = page(None, [])
    assert (reply.status, reply.body, dict(reply.headers)) == (200, [], {"Accept-Ranges": "version, id"})
    json.dumps(reply.body)


@pytest.mark.parametrize("moment", ["2012-01-02T00:00:00Z", "2012-01-02T00:00:00", "2012-01-02"])
def test_a_time_without_a_zone_is_utc(moment: str) -> None:
    @dataclass
    class Event:
        id: str
        created_at: datetime

    rows = [Event(str(day), datetime(2012, 1, day, tzinfo=UTC)) for day in (1, 2, 3)]
    headers = [(b"range", f"created_at ]{moment}..".encode())]
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})
    assert ranges.page(request, rows, lambda row: row.id, ("created_at",)).body == ["3"]


@pytest.mark.parametrize("order", ["", ", order=desc"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
def test_pages_lose_no_row_where_keys_are_equal(order: str, size: int) -> None:
    rows = [Row(f"id-{number:03}", number // 4) for number in range(23)]
    header, seen = f"version ..; max={size}{order}", []
    while header:
        request = Request(
            {
                "type": "http",
                "method": "GET",
                "path": "/",
                "query_string": b"",
                "headers": [(b"range", header.encode())],
            }
        )
        got = ranges.page(request, rows, lambda row: row.id, KEYS)
        assert len(got.body) <= size
        seen += got.body
        header = got.headers.get("Next-Range", "")
    assert seen == sorted((row.id for row in rows), reverse=bool(order))
