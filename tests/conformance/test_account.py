"""heroku auth:*, authorizations:* and regions."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import stat
import subprocess
import time
from typing import Any

import httpx
import pytest
from support.platforms import TOKEN

PATIENCE = 240


def answer_prompts(heroku: Any, command: list[str], answers: list[tuple[bytes, str]]) -> str:
    """Run a command at a terminal and type each answer once its question stands there."""
    mine, theirs = pty.openpty()
    process = subprocess.Popen(
        heroku.command(command), env=heroku.env, cwd=heroku.home, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen, mark, end = b"", 0, time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if answers and answers[0][0] in seen[mark:]:
                mark = len(seen)
                os.write(mine, answers.pop(0)[1].encode() + b"\r")
            if select.select([mine], [], [], 1)[0]:
                try:
                    seen += os.read(mine, 65536)
                except OSError:  # the other side is closed
                    break
        assert process.wait(PATIENCE) == 0, seen.decode()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(mine)


def test_login_and_logout(heroku_of: Any, local: Any) -> None:
    heroku = heroku_of(local, token=None)
    heroku.env["HEROKU_NETRC_WRITE"] = "true"
    answers = [(b"Email", "local@localhost"), (b"Password", TOKEN)]
    shown = answer_prompts(heroku, ["auth:login", "--interactive"], answers)
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
