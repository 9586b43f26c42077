from __future__ import annotations

import base64

import pytest

from herodeploy.local.wire import auth


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize("header", ["Bearer secret", "bearer secret", basic(":secret"), basic("me@example.com:secret")])
def test_the_token_is_taken_as_bearer_and_as_any_users_password(header: str) -> None:
    assert auth.token(header) == "secret"


@pytest.mark.parametrize(
    "header", ["", "secret", "Bearer", "Bearer other", "Basic !!", "Basic \xe9", basic("secret"), basic("secret:x")]
)
def test_anything_else_is_not(header: str) -> None:
    assert auth.token(header) != "secret"


@pytest.mark.parametrize(
    ("host", "api", "app"),
    [
        ("127.0.0.1:5333", True, None),
        ("localhost", True, None),
        ("LOCALHOST:1", True, None),
        ("shop.localhost:5333", False, "shop"),
        ("Shop.Localhost", False, "shop"),
        ("evil.example:5333", False, None),
        ("127.0.0.1.evil.example", False, None),
        ("", False, None),
    ],
)
def test_the_host_decides_who_is_meant(host: str, api: bool, app: str | None) -> None:
    assert (auth.is_api(host), auth.app_of(host)) == (api, app)
