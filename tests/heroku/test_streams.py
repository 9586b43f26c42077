from __future__ import annotations

import pytest

from herodeploy.errors import Forbidden, NotFound, PlatformUnreachable
from herodeploy.heroku.client import Heroku

from .conftest import Platform, chunked, reply, reset

STREAM = "/streams/1.log?Signature=s1gned"


def lines_of(heroku: Heroku, platform: Platform) -> list[str]:
    lines: list[str] = []
    heroku.follow(platform.url + STREAM, lines.append)
    return lines


def test_lines_come_as_they_are_without_heartbeats(heroku: Heroku, platform: Platform) -> None:
    platform.on(
        f"GET {STREAM}",
        chunked(b"-----> Buil", b"\0", b"ding\r\n\0\n", "ü".encode()[:1], "ü".encode()[1:], b"ber\nlast"),
    )
    assert lines_of(heroku, platform) == ["-----> Building", "", "über", "last"]
    assert "Authorization" not in platform.seen[0].headers


def test_a_stream_of_known_length_is_read_too(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", reply(200, "one\ntwo\n"))
    assert lines_of(heroku, platform) == ["one", "two"]


def test_an_empty_stream_has_no_lines(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", chunked())
    assert lines_of(heroku, platform) == []


def test_a_cut_stream_is_taken_up_where_it_was_cut(heroku: Heroku, platform: Platform) -> None:
    platform.on(
        f"GET {STREAM}",
        chunked(b"one\n", b"\0", b"tw", cut=True),
        reset,
        chunked(b"o\nthr", status=206, cut=True),
        chunked(b"ee\n", status=206),
    )
    assert lines_of(heroku, platform) == ["one", "two", "three"]
    assert [seen.headers.get("Range") for seen in platform.seen] == [None, "bytes=6-", "bytes=6-", "bytes=11-"]


def test_a_server_without_ranges_starts_over_and_no_line_comes_twice(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", chunked(b"one\ntw", cut=True), chunked(b"o", b"ne\n", b"two\n"))
    assert lines_of(heroku, platform) == ["one", "two"]


def test_nothing_behind_the_cut_is_the_end(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", chunked(b"one\n", cut=True), reply(416, ""))
    assert lines_of(heroku, platform) == ["one"]


def test_a_stream_that_appears_late_is_waited_for(heroku: Heroku, platform: Platform, naps: list[float]) -> None:
    missing = reply(404, "")
    platform.on(f"GET {STREAM}", missing, missing, chunked(b"one\n"))
    assert lines_of(heroku, platform) == ["one"]
    assert naps == [1.0, 1.0]


def test_a_stream_that_never_appears_is_given_up(heroku: Heroku, platform: Platform, naps: list[float]) -> None:
    platform.on(f"GET {STREAM}", reply(404, ""))
    with pytest.raises(NotFound, match="did not appear"):
        lines_of(heroku, platform)
    assert sum(naps) == 100


def test_a_stream_cut_again_and_again_is_given_up(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", chunked(b"one\n", cut=True), chunked(status=206, cut=True))
    lines: list[str] = []
    with pytest.raises(PlatformUnreachable) as caught:
        heroku.follow(platform.url + STREAM, lines.append)
    assert lines == ["one"]
    assert "s1gned" not in str(caught.value)


def test_an_expired_address_is_told_without_its_signature(heroku: Heroku, platform: Platform) -> None:
    platform.on(f"GET {STREAM}", reply(403, "<xml>expired</xml>"))
    with pytest.raises(Forbidden) as caught:
        lines_of(heroku, platform)
    assert "s1gned" not in str(caught.value)


def test_log_lines_are_those_of_a_session(heroku: Heroku, platform: Platform) -> None:
    platform.on("POST /apps/shop/log-sessions", reply(201, {"id": "1", "logplex_url": platform.url + STREAM}))
    platform.on(f"GET {STREAM}", chunked(b"a\nb\n"))
    assert heroku.logs.lines("shop", lines=2) == ["a", "b"]
    assert platform.seen[0].json == {"lines": 2, "tail": False}
    followed: list[str] = []
    heroku.logs.follow("shop", followed.append, dyno="web.1", source="app")
    assert followed == ["a", "b"]
    assert platform.seen[2].json == {"lines": 100, "tail": True, "source": "app", "dyno": "web.1"}
