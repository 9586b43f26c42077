"""heroku ps:*, run:detached and logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def app(local: Any, source: Any) -> Iterator[Any]:
    made = local.app("busy")
    files = source("at work")
    local.deploy(made, files | {"Procfile": f"{files['Procfile']}worker: echo working; sleep 1000\n"})
    return made


def states(local: Any) -> dict[str, str]:
    return {row["name"]: row["size"] for row in local.get("/apps/busy/dynos")}


def test_scaling(heroku: Any, local: Any, app: Any) -> None:
    assert "web=1:Basic" in heroku("ps:scale", "-a", "busy").stdout
    heroku("ps:scale", "web=2:standard-2x", "worker+1", "-a", "busy")
    assert states(local) == {"web.1": "Standard-2X", "web.2": "Standard-2X", "worker.1": "Basic"}
    assert heroku("ps:wait", "-a", "busy", "--type", "web").returncode == 0
    shown = heroku("ps", "-a", "busy").stdout
    assert re.search(r"=== web \(Standard-2X\): python3 serve.py \(2\)\n\nweb.1: up .*\nweb.2: up ", shown), shown
    assert "Standard-1X" in heroku("ps:type", "web=standard-1x", "-a", "busy").stdout
    refused = heroku("ps:scale", "web=1000", "-a", "busy", check=False)
    assert refused.returncode == 2
    heroku("ps:scale", "worker=0", "web=1", "-a", "busy")
    assert states(local) == {"web.1": "Standard-1X"}


def test_restart_and_stop(heroku: Any, local: Any, app: Any) -> None:
    local.visit(app)

    def ids() -> set[str]:
        return {row["id"] for row in local.get("/apps/busy/dynos")}

    first = ids()
    heroku("ps:restart", "--dyno-name", "web.1", "-a", "busy")
    second = ids()
    heroku("ps:restart", "--process-type", "web", "-a", "busy")
    third = ids()
    heroku("ps:restart", "-a", "busy")
    assert not first & second
    assert not second & third
    assert not third & ids()
    heroku("ps:stop", "--dyno-name", "web.1", "-a", "busy")
    assert [row["state"] for row in local.get("/apps/busy/dynos")] in ([], ["down"])
    heroku("ps:restart", "-a", "busy")
    assert local.visit(app).status_code == 200


def test_a_detached_run_and_its_log(heroku: Any, local: Any, app: Any) -> None:
    said = heroku("run:detached", "-a", "busy", "--env", "WHO=me", "--", "echo hello $WHO; exit 3")
    name = re.search(r"run\.\d{4}", said.stdout + said.stderr)
    assert name, said
    tail = heroku.start("logs", "-a", "busy", "--tail", "--dyno", name[0])
    try:
        assert tail.stdout is not None
        for line in tail.stdout:
            if "Process exited with status 3" in line:
                break
        else:
            pytest.fail("the log ended")
    finally:
        tail.terminate()
        tail.communicate()
    lines = heroku("logs", "-a", "busy", "--source", "app", "--dyno", name[0], "-n", "10").stdout
    assert re.fullmatch(rf"\S+ app\[{re.escape(name[0])}\]: hello me\n", lines), lines
    assert "heroku[" not in heroku("logs", "-a", "busy", "--source", "app").stdout
