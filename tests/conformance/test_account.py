"""heroku auth:*, authorizations:* and regions."""

from __future__ import annotations

import stat
from typing import Any

import httpx
import pytest
from support.platforms import TOKEN
from support.prompts import answered


@pytest.mark.parametrize("route", ["* /apps/{app}*", "POST /pipelines"])
def test_a_second_factor_is_asked_for_and_taken(heroku_of: Any, local: Any, route: str) -> None:
    heroku, app = heroku_of(local), local.app()
    commands = {
        "* /apps/{app}*": ["config:set", "A=1", "--app", app["name"]],
        "POST /pipelines": ["pipelines:create", "with-a-code", "--app", app["name"], "--stage", "staging"],
    }
    local.control.fault("two-factor", route)
    try:
        shown = answered(heroku.command(commands[route]), [(b"Two-factor code", "123456")], heroku.env, heroku.home)
    finally:
        local.control.clear_faults()
    assert "123456" not in shown
    if route.startswith("POST"):
        assert local.get("/pipelines/with-a-code")["name"] == "with-a-code"
    else:
        assert local.get(f"/apps/{app['id']}/config-vars")["A"] == "1"


def test_login_and_logout(heroku_of: Any, local: Any) -> None:
    heroku = heroku_of(local, token=None)
    heroku.env["HEROKU_NETRC_WRITE"] = "true"
    answers = [(b"Email", "local@localhost"), (b"Password", TOKEN)]
    shown = answered(heroku.command(["auth:login", "--interactive"]), answers, heroku.env, heroku.home)
    assert "Logged in as local@localhost" in shown
    assert TOKEN not in shown
    netrc = heroku.home / ".netrc"
    assert stat.S_IMODE(netrc.stat().st_mode) == 0o600
    assert TOKEN not in netrc.read_text()
    token = heroku("auth:token").stdout.split()[-1]
    assert token in netrc.read_text()
    assert token.startswith("HRKU-")
    assert token not in (local.data / "state.db-wal").read_bytes().decode("latin-1")
    mine = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{local.url}/account", headers=mine).status_code == 200
    assert heroku("auth:whoami").stdout == "local@localhost\n"
    heroku("auth:logout")
    assert httpx.get(f"{local.url}/account", headers=mine).status_code == 401
    assert heroku("auth:whoami", check=False).returncode != 0


def test_authorizations(heroku: Any, local: Any) -> None:
    made = heroku("authorizations:create", "--description", "for a robot", "--expires-in", "60", "--json").stdout
    assert "for a robot" in heroku("authorizations").stdout
    row = next(row for row in local.get("/oauth/authorizations") if row["description"] == "for a robot")
    assert row["id"] in made
    assert row["access_token"]["token"] not in made
    info = heroku("authorizations:info", row["id"]).stdout
    assert "Scope:" in info
    heroku("authorizations:rotate", row["id"])
    heroku("authorizations:revoke", row["id"])
    assert heroku("authorizations:info", row["id"], check=False).returncode == 2


def test_whoami_and_regions(heroku: Any, heroku_of: Any, local: Any) -> None:
    assert heroku("auth:whoami").stdout == "local@localhost\n"
    assert {"eu", "us"} <= set(heroku("regions").stdout.split())
    stranger = heroku_of(local, token="wrong")
    done = stranger("regions", check=False)
    assert (done.returncode, "The token provided to HEROKU_API_KEY is invalid" in done.stderr) == (1, True)


@pytest.mark.parametrize("expires_in", ["0", -1, 10**12, "soon", True])
def test_tokens_that_make_no_sense(local: Any, expires_in: Any) -> None:
    local.call("POST", "/oauth/authorizations", {"scope": ["global"], "expires_in": expires_in}, 422)
