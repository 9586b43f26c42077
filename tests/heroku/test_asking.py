"""Asking any web address: what comes back, how much of it, and what never goes out or shows."""

from __future__ import annotations

import gzip
import select
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from herodeploy.errors import HerodeployError, PlatformError, PlatformUnreachable, UsageError
from herodeploy.heroku.asking import Reply, ask

from .conftest import Platform, chunked, reply, reset


def asked(url: str, method: str = "GET", **changes: Any) -> Reply:
    given: dict[str, Any] = {"shown": "http://qa.example.com/${KEY}", "headers": {}, "body": None, "within": 60.0}
    return ask(method, url, **{**given, "most": 1024, **changes})


def test_status_headers_and_body_come_back(platform: Platform) -> None:
    platform.on("POST /x?y=1", reply(202, {"a": 1}, {"X-State": "Busy"}))
    found = asked(f"{platform.url}/x?y=1", "POST", headers={"X-Name": "J\u00fcrgen \u20ac"}, body=b"hello")
    assert (found.status, found.headers["x-state"], found.body) == (202, "Busy", b'{"a": 1}')
    assert platform.seen[0].body == b"hello"
    assert platform.seen[0].headers["X-Name"].encode("latin-1").decode() == "J\u00fcrgen \u20ac"


def test_no_token_goes_out(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ann password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HEROKU_API_KEY", "HRKU-key")
    platform.on("GET /x", reply(200, "ok"))
    asked(f"{platform.url}/x")
    assert "Authorization" not in platform.seen[0].headers
    # A header that was asked for does go out.
    asked(f"{platform.url}/x", headers={"X-Token": "t"})
    assert platform.seen[1].headers["X-Token"] == "t"


def test_an_authorization_that_is_asked_for_goes_out(platform: Platform) -> None:
    platform.on("GET /x", reply(200, "ok"))
    asked(f"{platform.url}/x", headers={"Authorization": "Bearer mine"})
    assert platform.seen[0].headers["Authorization"] == "Bearer mine"


def test_redirects_are_answers(platform: Platform) -> None:
    platform.on("GET /x", reply(302, "", {"Location": f"{platform.url}/login"}))
    assert asked(f"{platform.url}/x").status == 302
    assert len(platform.seen) == 1


def test_localhost_needs_no_resolver(platform: Platform) -> None:
    port = platform.url.rsplit(":", 1)[1]
    platform.on("GET /x?y=1", reply(200, "ok"))
    assert asked(f"http://shop.localhost:{port}/x?y=1").body == b"ok"
    assert platform.seen[0].headers["Host"] == f"shop.localhost:{port}"


@pytest.mark.parametrize("answer", [reply(200, "x" * 1025), chunked(b"x" * 600, b"x" * 600)])
def test_an_answer_that_is_too_long_is_not_read_to_its_end(platform: Platform, answer: Any) -> None:
    platform.on("GET /x", answer)
    with pytest.raises(PlatformError, match="was answered with more than 1 KiB"):
        asked(f"{platform.url}/x")
    platform.on("GET /x", reply(200, "x" * 1024))
    assert len(asked(f"{platform.url}/x").body) == 1024


def test_what_is_packed_stays_packed(platform: Platform) -> None:
    packed = gzip.compress(b"0" * 900_000)
    platform.on("GET /x", reply(200, packed, {"Content-Encoding": "gzip"}))
    assert asked(f"{platform.url}/x").body == packed
    assert platform.seen[0].headers["Accept-Encoding"] == "identity"


def dripping(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "900")
    handler.end_headers()
    for _ in range(900):
        handler.wfile.write(b".")
        select.select([handler.connection], [], [], 0.05)  # a little, or until the other side goes away


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read(1)  # until the other side goes away


@pytest.mark.parametrize("answer", [dripping, silent, reset])
def test_no_answer_in_time_is_none(platform: Platform, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    platform.on("GET /x", answer)
    with pytest.raises(PlatformUnreachable) as caught:
        asked(f"{platform.url}/x", within=0.3)
    assert "qa.example.com" in caught.value.message
    assert caught.value.hint is None, "the platform is not at fault"


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://127.0.0.1:9/hunter2", {}),
        ("http://hunter2.invalid/", {}),
        ("http://" + "hunter2" * 20 + ".example/", {}),
        ("http://127.0.0.1:9/", {"X-Key": "hunter2\nX-Other: 1"}),
        ("http://127.0.0.1:9/", {"hunter2 \u20ac": "1"}),
    ],
)
def test_errors_name_the_address_as_it_is_written(
    url: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HerodeployError) as caught:
        asked(url, headers=headers)
    assert isinstance(caught.value, PlatformError | UsageError)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
    assert "${KEY}" in caught.value.message
