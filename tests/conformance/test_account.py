"""Who the account is, and what the platform offers."""

from __future__ import annotations

from typing import Any


def test_whoami(heroku: Any) -> None:
    assert heroku("auth:whoami").stdout == "local@localhost\n"
