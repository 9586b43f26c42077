"""``herodeploy local`` and a pipeline on it, by the command line alone."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Shell = Any


@pytest.fixture
def data(tmp_path: Path, shell: Shell) -> Iterator[Path]:
    folder = tmp_path / "platform"
    yield folder
    shell("local", "stop", "--data", str(folder))


def test_start_look_point_stop_reset(shell: Shell, data: Path) -> None:
    there = ("--data", str(data))
    ended = shell("local", "status", "--json", *there)
    assert (ended.code, json.loads(ended.out)["running"]) == (1, False)
    assert shell("local", "env", *there).code == 3

    url = shell("local", "start", *there).out.strip()
    assert shell("local", "start", *there).out.strip() == url, "one that runs is left as it is"
    told = json.loads(shell("local", "status", "--json", *there).out)
    assert (told["running"], told["url"], told["apps"]) == (True, url, [])
    assert "token" not in told
    words = "builds and dynos are isolated" if told["isolation"]["on"] else told["isolation"]["why_not"]
    assert words in shell("local", "status", *there).out

    lines = shell("local", "env", *there).out.splitlines()
    assert lines[0] == f"export HEROKU_HOST={url}"
    assert lines[1].startswith("export HEROKU_API_KEY=")
    assert "export HEROKU_DATA_HOST=127.0.0.1" in lines
    assert lines[-1] == f"export HERODEPLOY_LOCAL_DATA={data}"
    token = lines[1].partition("=")[2]
    assert token not in shell("local", "status", *there).out

    ended = shell("local", "logs", "nope", *there)
    none_yet = "Error: no app 'nope' on the local platform\n  -> it has none yet; make some: herodeploy apply\n"
    assert (ended.code, ended.err) == (2, none_yet)
    assert shell("local", "stop", *there).out == "stopped\n"
    assert shell("local", "stop", *there).out == "it did not run\n"
    assert shell("local", "reset", "--yes", *there).code == 0
    assert not (data / "token").exists()


def test_a_port_in_use_is_told(shell: Shell, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = shell("local", "start", "--data", str(data), "--port", str(port))
    assert (ended.code, f"port {port} of 127.0.0.1 is in use" in ended.err) == (3, True)
    assert "  -> " in ended.err


def test_a_pipeline_is_applied_and_shown(repository: Shell, shell: Shell, data: Path) -> None:
    env = {"HERODEPLOY_LOCAL_DATA": str(data)}
    repository.write(Procfile="web: ./serve\n")
    repository("init", "--yes", "--platform", "local", **env)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Begin")

    ended = repository("status", **env)
    assert (ended.code, "create it: herodeploy apply" in ended.err) == (2, True)
    would = repository("apply", "--dry-run", **env)
    assert would.out.splitlines()[0] == "would create pipeline shop"
    assert repository("apply", **env).code == 0
    for more in ((), ("--follow",)):
        ended = repository("local", "logs", "shop-stagign", *more, **env)
        assert (ended.code, ended.err.splitlines()[1]) == (2, "  -> one of: shop-production, shop-staging")

    shown = repository("status", **env).out
    assert "STAGE" in shown
    assert "shop-production" in shown
    assert "no deliveries yet; begin with: herodeploy deliver" in shown
    switched = repository("mode", "deployment", "--why", "trust", **env)
    assert "by ann@example.com" in switched.out
    assert json.loads(repository("mode", "--json", **env).out)["why"] == "trust"
    kinds = [event["kind"] for event in json.loads(repository("history", "--json", **env).out)["events"]]
    assert kinds[0] == "mode.switched"
    assert repository("resume", **env).out == "nothing is open\n"
    ended = repository("history", HERODEPLOY_DATABASE_URL="bogus", **env)
    assert (ended.code, ended.err.splitlines()[0]) == (2, "Error: HERODEPLOY_DATABASE_URL is no database address")
    ended = repository("approve", "2026", **env)
    assert (ended.code, ended.err.splitlines()[0]) == (2, "Error: no delivery '2026' in shop")
