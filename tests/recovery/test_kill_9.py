"""The local platform killed under load, again and again: what it comes back with is whole, and nothing is left running.

``HERODEPLOY_TEST_KILLS=200`` kills it that often; a plain run does it a few times.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import sqlite3
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from herodeploy.local import control
from herodeploy.local.control import Running

pytestmark = pytest.mark.recovery

KILLS = int(os.environ.get("HERODEPLOY_TEST_KILLS", "6"))
WORKERS = 4
LONGEST = 1.5
PATIENCE = 60
PAUSE = threading.Event()
HOOK = {"include": ["api:release", "api:app"], "level": "sync", "url": "http://127.0.0.1:1/"}
SOURCES: tuple[dict[str, str], ...] = (
    {"Procfile": "worker: sleep 1000\n"},
    {"Procfile": "worker: sleep 1000\nrelease: sleep 0.1\n"},
    {"Procfile": "worker: trap '' TERM; sleep 1000 & wait\nrelease: exit 1\n"},
    {"Procfile": "worker: (sleep 1000 &); sleep 1000\n", "app.json": '{"scripts": {"pr-predestroy": "sleep 0.1"}}'},
    {"app.json": '{"environments": {"test": {"scripts": {"test": "sleep 0.2"}}}}', "Procfile": "worker: sleep 1\n"},
)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    control.stop(folder)


@pytest.mark.timeout(60 + 30 * KILLS)
def test_killed_at_any_moment_under_load_it_comes_back_whole(data: Path) -> None:
    chance = random.Random(20261125)
    for number in range(KILLS):
        running = control.start(data)
        load = Load(running, chance.randrange(2**32))
        load.begin()
        PAUSE.wait(chance.uniform(0.02, LONGEST))
        os.kill(running.pid, signal.SIGKILL)
        load.end()
        assert not left_running(data), f"kill {number} left processes"
        with contextlib.closing(sqlite3.connect(data / "state.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        check(control.start(data), f"after kill {number}")


class Load:
    """Several clients that do at random what can be done."""

    def __init__(self, running: Running, seed: int) -> None:
        self._running = running
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(seed + number,)) for number in range(WORKERS)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        with client(self._running) as http, contextlib.suppress(httpx.HTTPError):
            while not self._stop.is_set():
                act(http, chance)


def act(http: Client, chance: random.Random) -> None:
    """Do one thing; the platform may refuse it, but it may not break."""
    apps = http.get("/apps").json()
    pipelines = http.get("/pipelines").json()
    if len(apps) < 3 or not pipelines:
        answer = http.post("/apps", json={})
        http.post("/pipelines", json={"name": f"p{chance.randrange(10**6)}"})
        pipelines = http.get("/pipelines").json()
        if answer.status_code == 201 and pipelines:
            coupling = {"app": answer.json()["id"], "pipeline": pipelines[0]["id"], "stage": "staging"}
            http.post("/pipeline-couplings", json=coupling)
        return
    app, other = chance.choice(apps)["id"], chance.choice(apps)["id"]
    pipeline = chance.choice(pipelines)["id"]
    acts = {
        lambda: build(http, app, chance): 6,
        lambda: scale(http, app, chance): 2,
        lambda: http.patch(f"/apps/{app}/config-vars", json={"A": str(chance.random())}): 3,
        lambda: promote(http, pipeline, app, other): 2,
        lambda: review(http, pipeline, chance): 2,
        lambda: run_tests(http, pipeline): 2,
        lambda: roll_back(http, app, chance): 1,
        lambda: http.post(f"/apps/{app}/webhooks", json=HOOK): 1,
        lambda: http.post("/oauth/authorizations", json={"scope": ["global"], "expires_in": 60}): 1,
        lambda: http.post("/_local/control/clock", json={"seconds": 600}, headers=http.commander): 1,
        lambda: http.delete(f"/apps/{app}"): 1,
    }
    answer = chance.choices(list(acts), list(acts.values()))[0]()
    assert answer.status_code < 500 or answer.status_code == 503, answer.text


def build(http: Client, app: str, chance: random.Random) -> httpx.Response:
    source = {"source_blob": {"url": upload(http, chance.choice(SOURCES)), "version": "0123456789"}}
    return http.post(f"/apps/{app}/builds", json=source)


def scale(http: Client, app: str, chance: random.Random) -> httpx.Response:
    quantity = {"type": "worker", "quantity": chance.randrange(3)}
    return http.patch(f"/apps/{app}/formation", json={"updates": [quantity]})


def promote(http: Client, pipeline: str, app: str, other: str) -> httpx.Response:
    body = {"pipeline": {"id": pipeline}, "source": {"app": {"id": app}}, "targets": [{"app": {"id": other}}]}
    return http.post("/pipeline-promotions", json=body)


def review(http: Client, pipeline: str, chance: random.Random) -> httpx.Response:
    blob = {"url": upload(http, chance.choice(SOURCES)), "version": "0123"}
    body = {"branch": f"b{chance.randrange(5)}", "pipeline": pipeline, "source_blob": blob}
    return http.post("/review-apps", json=body)


def run_tests(http: Client, pipeline: str) -> httpx.Response:
    commit = {"commit_branch": "main", "commit_message": "", "commit_sha": "0123"}
    return http.post("/test-runs", json=commit | {"pipeline": pipeline, "source_blob_url": upload(http, SOURCES[-1])})


def roll_back(http: Client, app: str, chance: random.Random) -> httpx.Response:
    releases = http.get(f"/apps/{app}/releases").json()
    version = chance.choice(releases)["version"] if isinstance(releases, list) and releases else 1
    return http.post(f"/apps/{app}/releases", json={"release": version})


def check(running: Running, when: str) -> None:
    """Check what must hold whatever happened."""
    with client(running) as http:
        slugs = running.data / "slugs"
        for app in http.get("/apps").json():
            rows = http.get(f"/apps/{app['id']}/releases").json()
            assert sum(row["current"] for row in rows) == 1, f"{when}: {app['name']} has {rows}"
            assert [row["version"] for row in rows] == list(range(1, len(rows) + 1)), when
            for row in rows:
                assert row["status"] in ("succeeded", "failed"), f"{when}: a release that was cut is {row['status']}"
                if row["slug"] and row["status"] == "succeeded":
                    assert (slugs / f"{row['slug']['id']}.tgz").is_file(), f"{when}: v{row['version']} has no slug"
            for build in http.get(f"/apps/{app['id']}/builds").json():
                assert build["status"] in ("succeeded", "failed"), f"{when}: a build that was cut is {build['status']}"
        for pipeline in http.get("/pipelines").json():
            for run in http.get(f"/pipelines/{pipeline['id']}/test-runs").json():
                assert run["status"] in ("succeeded", "failed", "errored", "cancelled"), when
            for review in http.get(f"/pipelines/{pipeline['id']}/review-apps").json():
                assert review["status"] in ("created", "errored", "deleting"), when


def left_running(data: Path) -> list[str]:
    """Return the command lines of processes of that platform, once those that are ending have had their time."""
    until = time.monotonic() + PATIENCE
    while (found := processes(data)) and time.monotonic() < until:
        PAUSE.wait(0.05)
    return found


def processes(data: Path) -> list[str]:
    if not sys.platform.startswith("linux"):
        return []
    mark = os.fsencode(data) + b"/"
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if not process.name.isdigit() or int(process.name) == os.getpid():
                continue
            command = (process / "cmdline").read_bytes()
            if mark in command + (process / "environ").read_bytes():
                found.append(command.replace(b"\0", b" ").decode())
    return found


class Client(httpx.Client):
    """A client that may command the platform, too."""

    commander: dict[str, str]


def client(running: Running) -> Client:
    headers = {"Authorization": f"Bearer {running.token}"}
    made = Client(base_url=running.url, headers=headers, timeout=PATIENCE, trust_env=False)
    made.commander = {"Authorization": f"Bearer {(running.data / 'control-token').read_text()}"}
    return made


def upload(http: httpx.Client, files: dict[str, str]) -> Any:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    answer = http.post("/sources")
    if answer.status_code != 201:
        return ""
    blob = json.loads(answer.text)["source_blob"]
    http.put(blob["put_url"], content=buffer.getvalue())
    return blob["get_url"]
