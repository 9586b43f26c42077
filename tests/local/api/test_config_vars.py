from __future__ import annotations

import socket
from typing import Any

import pytest
from support.platforms import TOKEN


def test_a_change_is_a_release_that_is_there_at_once(local: Any, conforms: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/config-vars"
    assert local.patch(path, {"FOO": "1", "BAR": ""}) == {"FOO": "1", "BAR": ""}
    newest = local.get(f"/apps/{app['id']}/releases", Range="version ..; order=desc,max=1")[0]
    conforms("release", newest)
    assert (newest["version"], newest["status"], newest["current"]) == (3, "succeeded", True)
    assert newest["description"] == "Set FOO, BAR config vars"
    assert local.patch(path, {"FOO": None, "NONE": None}) == {"BAR": ""}
    assert local.current(app)["description"] == "Remove FOO config vars"
    assert local.get(f"/apps/{app['id']}/releases/3/config-vars") == {"FOO": "1", "BAR": ""}
    assert local.get(path) == {"BAR": ""}


def test_a_change_of_nothing_releases_nothing(local: Any) -> None:
    app = local.app()
    local.patch(f"/apps/{app['id']}/config-vars", {"FOO": "1"})
    local.patch(f"/apps/{app['id']}/config-vars", {"FOO": "1", "GONE": None})
    assert local.current(app)["version"] == 3


@pytest.mark.parametrize("bad", [{"A B": "s3cret"}, {"__X": "s3cret"}, {"A": 1}, {"A": ["s3cret"]}, {"A": "s3cret\0"}])
def test_what_cannot_be_a_config_var_is_refused_without_repeating_its_value(local: Any, bad: dict[str, Any]) -> None:
    app = local.app()
    problem = local.call("PATCH", f"/apps/{app['id']}/config-vars", bad, 422)
    assert "s3cret" not in problem["message"]
    assert local.get(f"/apps/{app['id']}/config-vars") == {}


def test_an_app_that_is_destroyed_while_a_change_of_it_is_on_its_way_stays_destroyed(local: Any) -> None:
    app = local.app()
    body = b'{"A": "1"}'
    head = (
        f"PATCH /apps/{app['id']}/config-vars HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Accept: application/vnd.heroku+json; version=3\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    port = int(local.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, client.makefile("rb") as answer:
        client.sendall(head.encode())
        assert b" 100 " in answer.readline(), "the platform waits for the body"
        local.delete(f"/apps/{app['id']}")
        client.sendall(body)
        assert answer.readline() == b"\r\n"
        assert b" 404 " in answer.readline()
    assert app["id"] not in [each["id"] for each in local.get("/apps")]
