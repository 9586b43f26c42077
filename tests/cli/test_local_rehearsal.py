"""Faults, requests and time of the local platform, by the command line alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Shell = Any


@pytest.fixture
def data(tmp_path: Path, shell: Shell) -> Iterator[Path]:
    folder = tmp_path / "platform"
    shell("local", "start", "--data", str(folder))
    yield folder
    shell("local", "stop", "--data", str(folder))


def test_order_look_withdraw(shell: Shell, data: Path) -> None:
    there = ("--data", str(data))
    assert shell("local", "faults", *there).out == "nothing is ordered to go wrong\n"
    told = shell("local", "fault", "error", "--route", "GET /account", "--count", "2", *there).out
    assert told.startswith("error will strike GET /account 2 times (")
    made = json.loads(shell("local", "fault", "build", "--app", "shop", "--count", "0", "--json", *there).out)
    assert (made["route"], made["count"]) == ("shop", None)
    rows = shell("local", "faults", *there).out.splitlines()
    assert [row.split()[1:] for row in rows[1:]] == [
        ["error", "GET", "/account", "0", "2"],
        ["build", "shop", "0", "-"],
    ]
    assert len(json.loads(shell("local", "faults", "--json", *there).out)) == 2
    assert shell("local", "faults", "--clear", *there).out == "withdrew 2\n"


def test_requests_and_the_clock(shell: Shell, data: Path) -> None:
    there = ("--data", str(data))
    assert shell("local", "logs", "nope", *there).code == 2
    seen = json.loads(shell("local", "requests", "--json", *there).out)
    asked = [(each["method"], each["path"], each["status"]) for each in seen]
    assert ("POST", "/apps/nope/log-sessions", 404) in asked
    told = shell("local", "requests", "-n", "5", *there, TZ="CET-1").out
    assert re.search(r"\d\d:\d\d:\d\d CET +POST +404 +\d+ms +/apps/nope/log-sessions", told), told
    assert shell("local", "clock", "--advance", "31d", *there, TZ="CET-1").out.endswith(" CET, 31d ahead\n")
    assert json.loads(shell("local", "clock", "--json", *there).out)["ahead"] == 31 * 86_400


def test_what_cannot_be_is_refused_with_the_way_out(shell: Shell, data: Path) -> None:
    there = ("--data", str(data))
    ended = shell("local", "fault", "nonsense", *there)
    assert (ended.code, "kind must be one of: delinquent" in ended.err) == (2, True)
    ended = shell("local", "clock", "--advance", "soon", *there)
    assert (ended.code, "'soon' is no length of time" in ended.err) == (2, True)
    shell("local", "stop", *there)
    ended = shell("local", "faults", *there)
    assert (ended.code, "herodeploy local start" in ended.err) == (3, True)
