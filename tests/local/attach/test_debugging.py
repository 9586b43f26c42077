"""Debug runs: somebody has a shell in the test dyno."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from support.rendezvous import GREETING, attached, rest, until

PAUSE = threading.Event()
WORKING = ("pending", "creating", "building")


def begin(local: Any, **environment: Any) -> Any:
    pipeline = local.post("/pipelines", {"name": "shop"})["id"]
    manifest = {"environments": {"test": {"env": {"COLOUR": "red"}, "formation": {"test": {"quantity": 2}}}}}
    manifest["environments"]["test"] |= environment
    files = {"Procfile": "web: false\n", "app.json": json.dumps(manifest)}
    body = {"pipeline": pipeline, "commit_branch": "main", "commit_message": "Greet", "commit_sha": "0123456789"}
    return local.post("/test-runs", body | {"source_blob_url": local.upload(files), "debug": True, "clear_cache": True})


def debugging(local: Any, begun: Any) -> tuple[Any, Any]:
    """Return a run that is being debugged, and its node."""
    run = ended(local, begun, WORKING)
    assert run["status"] == "debugging", run
    (node,) = local.get(f"/test-runs/{run['id']}/test-nodes")
    return run, node


def ended(local: Any, run: Any, working: tuple[str, ...] = (*WORKING, "debugging")) -> Any:
    while (now := local.get(f"/test-runs/{run['id']}"))["status"] in working:
        PAUSE.wait(0.02)
    return now


def test_a_shell_in_the_test_environment(local: Any, conforms: Any) -> None:
    begun = begin(local, scripts={"test-setup": "echo 'it is' > here"})
    run, node = debugging(local, begun)
    conforms("test-run", run)
    conforms("test-node", node)
    setup = local.get(f"/app-setups/{run['app_setup']['id']}")
    conforms("app-setup", setup)
    assert setup["status"] == "succeeded"
    with attached(local, node["dyno"]["attach_url"]) as secure:
        assert secure.recv(65536) == GREETING
        until(secure, b"~ $ ")
        secure.sendall(b"ci setup && eval $(ci env)\n")
        secure.sendall(b"echo $CI $COLOUR $CI_NODE_INDEX of $CI_NODE_TOTAL, $(cat here) >&2; ci x; echo $?; exit\n")
        said = rest(secure)
    assert b"true red 0 of 1, it is" in said
    assert b"Usage: ci setup, ci env\r\n2\r\n" in said
    run = ended(local, run)
    (node,) = local.get(f"/test-runs/{run['id']}/test-nodes")
    assert (run["status"], node["status"], node["dyno"]) == ("cancelled", "cancelled", None)
    local.delete(f"/pipelines/{run['pipeline']['id']}")
    local.call("GET", f"/app-setups/{setup['id']}", status=404)


def test_cancelling_hangs_up(local: Any) -> None:
    run, node = debugging(local, begin(local))
    with attached(local, node["dyno"]["attach_url"]) as secure:
        until(secure, b"~ $ ")
        local.patch(f"/test-runs/{run['id']}", {"status": "cancelled", "message": "enough"})
        rest(secure)
    run = local.get(f"/test-runs/{run['id']}")
    assert (run["status"], run["message"]) == ("cancelled", "enough")


def test_leaving_without_a_word(local: Any) -> None:
    run, node = debugging(local, begin(local))
    with attached(local, node["dyno"]["attach_url"]) as secure:
        until(secure, b"~ $ ")
    assert ended(local, run)["status"] == "cancelled"


def test_it_keeps_no_test_run_from_its_turn(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path, builds_at_once=1) as local:
        first, _ = debugging(local, begin(local))
        second, _ = debugging(local, begin(local))
        assert ended(local, first, WORKING)["status"] == "debugging"
        for run in (first, second):
            local.patch(f"/test-runs/{run['id']}", {"status": "cancelled", "message": ""})


def test_nobody_comes(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path, boot_timeout=0.1) as local:
        run = ended(local, begin(local))
        (node,) = local.get(f"/test-runs/{run['id']}/test-nodes")
        assert (run["status"], node["error_status"]) == ("errored", "debugging")
        assert "nobody attached" in local.read(node["output_stream_url"])


def test_it_does_not_outlive_the_platform(run_platform: Any, tmp_path: Path) -> None:
    data, left = tmp_path / "data", tmp_path / "left"
    with run_platform(data) as local:
        run, node = debugging(local, begin(local))
        # What a kill would leave: a graceful stop tidies up.
        shutil.copytree(data, left, ignore=shutil.ignore_patterns("work", "*.lock", "state.db*"))
        with closing(sqlite3.connect(data / "state.db")) as live, closing(sqlite3.connect(left / "state.db")) as copy:
            live.backup(copy)
    secret = node["dyno"]["attach_url"].rpartition("/")[2]
    assert secret.encode() not in (left / "state.db").read_bytes()
    with run_platform(left) as local:
        run = local.get(f"/test-runs/{run['id']}")
        (node,) = local.get(f"/test-runs/{run['id']}/test-nodes")
        assert (run["status"], node["error_status"], node["dyno"]) == ("errored", "debugging", None)
