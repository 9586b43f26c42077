from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from herodeploy.domain.pipeline import App
from herodeploy.errors import PlatformUnreachable
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.probing import address, moved

from .conftest import Platform, reply, reset


def app(web_url: str | None) -> App:
    return App("a-1", "shop", web_url, "heroku-24", False, datetime(2026, 1, 1, tzinfo=UTC))


def test_an_app_of_the_local_platform_is_reached_without_the_resolver(heroku: Heroku, platform: Platform) -> None:
    port = platform.url.rsplit(":", 1)[1]
    platform.on("GET /healthz", reply(204, ""))
    assert heroku.probe(app(f"http://shop.localhost:{port}/"), "/healthz", 60) == 204
    assert platform.seen[0].headers["Host"] == f"shop.localhost:{port}"
    assert "Authorization" not in platform.seen[0].headers


def test_any_status_is_an_answer_and_redirects_are_not_followed(heroku: Heroku, platform: Platform) -> None:
    platform.on("GET /", reply(302, "", {"Location": "/login"}))
    platform.on("GET /broken", reply(503, "<html>"))
    assert heroku.probe(app(platform.url), "/", 60) == 302
    assert heroku.probe(app(platform.url + "/"), "broken", 60) == 503
    assert len(platform.seen) == 2


def test_no_answer_is_none(heroku: Heroku, platform: Platform, naps: list[float]) -> None:
    platform.on("GET /", reset)
    assert heroku.probe(app(platform.url), "/", 60) is None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert heroku.probe(app(f"http://127.0.0.1:{silent.getsockname()[1]}"), "/", 0.05) is None
    assert heroku.probe(app(None), "/", 1) is None
    assert naps == []


def test_where_no_connection_is_made_nobody_was_asked(heroku: Heroku, naps: list[float]) -> None:
    for nowhere in ("http://127.0.0.1:9", "http://no-such-host.invalid"):
        with pytest.raises(PlatformUnreachable):
            heroku.probe(app(nowhere), "/", 60)
    assert naps == []


@pytest.mark.parametrize(
    ("web_url", "path", "expected"),
    [
        ("https://shop-1.herokuapp.com/", "/healthz?full=1", ("https://shop-1.herokuapp.com/healthz?full=1", None)),
        ("http://shop.localhost:5333/", "", ("http://127.0.0.1:5333/", "shop.localhost:5333")),
        ("http://shop.localhost/", "/x", ("http://127.0.0.1/x", "shop.localhost")),
    ],
)
def test_addresses(web_url: str, path: str, expected: tuple[str, str | None]) -> None:
    assert address(web_url, path) == expected


@pytest.mark.parametrize(
    ("web_url", "platform", "expected"),
    [
        ("http://shop.localhost:5333/", "http://127.0.0.1:24001", "http://shop.localhost:24001/"),
        ("http://shop.localhost:5333/", "https://api.heroku.com", "http://shop.localhost:5333/"),
        ("https://shop-1.herokuapp.com/", "http://127.0.0.1:24001", "https://shop-1.herokuapp.com/"),
        (None, "http://127.0.0.1:24001", None),
    ],
)
def test_a_local_platform_may_have_moved(web_url: str | None, platform: str, expected: str | None) -> None:
    assert moved(web_url, platform) == expected
