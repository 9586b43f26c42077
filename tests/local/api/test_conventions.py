"""What every endpoint has in common: host, token, errors, headers."""

from __future__ import annotations

import base64
import re
from typing import Any

import httpx
import pytest


def test_without_the_token_nothing_is_told(local: Any) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic !"},
        {"Authorization": b"Basic \xe9"},
    ):
        for path in ("/apps", "/account", "/_local/apps", "/nowhere"):
            answer = httpx.get(local.url + path, headers=headers)
            assert answer.status_code == 401
            assert answer.json() == {"id": "unauthorized", "message": "Invalid credentials provided."}
            assert answer.headers["Content-Type"] == "application/json"


def test_basic_authentication_ignores_the_user(local: Any) -> None:
    token = local.http.headers["Authorization"].removeprefix("Bearer ")
    for pair in (f":{token}", f"someone@example.com:{token}"):
        value = "Basic " + base64.b64encode(pair.encode()).decode()
        assert httpx.get(local.url + "/account", headers={"Authorization": value}).status_code == 200


def test_foreign_hosts_are_refused_even_with_the_token(local: Any) -> None:
    """A page in a browser can make evil.example point to 127.0.0.1; its Host header gives it away."""
    for host in ("evil.example", "127.0.0.1.evil.example:80", "localhost.evil.example"):
        answer = local.http.get("/account", headers={"Host": host})
        assert (answer.status_code, answer.json()["id"]) == (403, "forbidden")


def test_the_status_needs_no_token(local: Any) -> None:
    body = httpx.get(local.url + "/_local/status").json()
    assert body["platform"] == "herodeploy-local"
    assert isinstance(body["pid"], int)


def test_every_reply_has_its_own_request_id_an_etag_and_the_rate_limit(local: Any) -> None:
    first, second = (local.http.get("/account") for _ in range(2))
    assert first.headers["Request-Id"] != second.headers["Request-Id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", first.headers["Request-Id"])
    assert 0 < int(first.headers["RateLimit-Remaining"]) <= 4500
    assert first.headers["ETag"] == second.headers["ETag"]
    assert "Request-Id" in local.http.get("/apps/none-such").headers
    assert len(first.headers.get_list("Date")) == 1


def test_a_reply_that_the_client_has_already_is_not_sent_again(local: Any) -> None:
    tag = local.http.get("/account").headers["ETag"]
    answer = local.http.get("/account", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert local.http.get("/account", headers={"If-Match": '"other"'}).status_code == 412


@pytest.mark.parametrize("resource", ["app"])
def test_what_is_missing_is_named(local: Any, resource: str) -> None:
    answer = local.http.get("/apps/none-such")
    assert answer.status_code == 404
    assert answer.json() == {"id": "not_found", "message": "Couldn't find that app.", "resource": "app"}


def test_unknown_addresses_and_methods_are_json_errors(local: Any) -> None:
    assert local.call("GET", "/nowhere", status=404)["id"] == "not_found"
    assert local.call("PUT", "/apps", status=405)["id"] == "method_not_allowed"


def test_a_body_that_is_no_json_object_is_a_bad_request(local: Any) -> None:
    for content in (b"{", b"[]", b'"x"', b"[" * 100_000, b'{"name":"\\ud800"}'):
        answer = local.http.post("/apps", content=content)
        assert (answer.status_code, answer.json()["id"]) == (400, "bad_request")


def test_the_long_request_id_of_the_heroku_cli_is_taken(local: Any) -> None:
    """It sends back, in one header, every Request-Id that it has seen."""
    assert local.http.get("/account", headers={"Request-Id": ",".join(["x" * 36] * 500)}).status_code == 200


def test_methods_can_be_overridden(local: Any) -> None:
    app = local.app()
    answer = local.http.post(f"/apps/{app['id']}", json={}, headers={"X-HTTP-Method-Override": "DELETE"})
    assert (answer.status_code, answer.json()["id"]) == (200, app["id"])
    assert local.http.get(f"/apps/{app['id']}").status_code == 404


def test_a_bad_range_is_refused(local: Any) -> None:
    answer = local.http.get("/apps", headers={"Range": "colour ..; max=2"})
    assert (answer.status_code, answer.json()["id"]) == (416, "requested_range_not_satisfiable")
    assert local.http.get("/apps", headers={"Range": ""}).status_code == 200


def test_a_carriage_return_does_not_end_an_event(local: Any) -> None:
    """Progress bars write them; the Heroku CLI reads logs as server-sent events."""
    app, streams = local.app(), local.platform.streams
    local.platform.logs.write(app["id"], "app", "web.1", "10%\r20%\r")
    session = local.post(f"/apps/{app['id']}/log-sessions", {"lines": 1})
    key = streams.create()
    streams.write(key, "10%\r20%\r\n30%\r40%")
    streams.close(key)
    for url in (session["logplex_url"], streams.url(key)):
        text = httpx.get(url, headers={"Accept": "text/event-stream"}).content
        assert b"\r" not in text
        assert b"10% 20%\n\n" in text


@pytest.mark.parametrize("path", ["/stacks", "/regions", "/dyno-sizes", "/account/features", "/apps/{app}/features"])
def test_short_lists_come_in_pages_too(local: Any, path: str) -> None:
    path = path.format(app=local.app()["id"])
    answer = local.http.get(path, headers={"Range": "name ..; max=1"})
    assert answer.headers["Accept-Ranges"] == "name, id"
    names = [row["name"] for row in answer.json()]
    while "Next-Range" in answer.headers:
        assert answer.status_code == 206
        answer = local.http.get(path, headers={"Range": answer.headers["Next-Range"]})
        names += [row["name"] for row in answer.json()]
    assert answer.status_code == 200
    assert names == [row["name"] for row in local.get(path)] == sorted(names)
