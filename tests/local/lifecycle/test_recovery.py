"""What the pipeline family is after a kill -9: the platform's folder as it was in the middle of everything."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from herodeploy.local.state import State

PAUSE = threading.Event()


def test_everything_that_was_cut_off_ends(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data") as local:
        cut = _Cut(local, tmp_path)
        cut.wait()
        # A graceful stop tidies up; the copy is what a kill would have left.
        _copy(tmp_path / "data", tmp_path / "copy")
    with run_platform(tmp_path / "copy") as local:
        while local.http.get(f"/review-apps/{cut.leaving['id']}").status_code != 404:
            PAUSE.wait(0.02)
        promotion = local.get(f"/pipeline-promotions/{cut.promotion['id']}")
        (target,) = local.get(f"/pipeline-promotions/{cut.promotion['id']}/promotion-targets")
        assert promotion["status"] == "completed"
        assert (target["status"], target["error_message"]) == ("failed", "the platform was stopped")
        setup = local.get(f"/app-setups/{cut.setup['id']}")
        assert (setup["status"], setup["build"]["status"]) == ("failed", "succeeded")
        review = local.get(f"/review-apps/{cut.review['id']}")
        assert (review["status"], review["app"]) == ("errored", None)
        run = local.get(f"/test-runs/{cut.run['id']}")
        (node,) = local.get(f"/test-runs/{cut.run['id']}/test-nodes")
        assert (run["status"], node["status"], node["error_status"]) == ("errored", "errored", "running")
        assert "stopped" in local.read(node["output_stream_url"])
        assert {app["id"] for app in local.get("/apps")} == {cut.staging["id"], cut.production["id"]}
        assert local.current(cut.production)["version"] == 3


def test_a_promotion_cut_off_right_after_its_release_has_succeeded(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data") as local:
        pipeline = local.post("/pipelines", {"name": "shop"})["id"]
        staging, production = local.app(), local.app()
        for app, stage in ((staging, "staging"), (production, "production")):
            local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline, "stage": stage})
        local.deploy(staging, {"Procfile": "worker: sleep 1000\n"})
        body = {"pipeline": {"id": pipeline}, "source": {"app": {"id": staging["id"]}}}
        body["targets"] = [{"app": {"id": production["id"]}}]
        promotion = local.post("/pipeline-promotions", body)
        while local.get(f"/pipeline-promotions/{promotion['id']}")["status"] == "pending":
            PAUSE.wait(0.02)
        release = local.current(production)["id"]
    state = State(tmp_path / "data" / "state.db")
    (cut,) = state.promotions
    (target,) = state.promotion_targets
    cut.status = target.status = "pending"
    target.release_id = None
    state.promotions.put(cut)
    state.promotion_targets.put(target)
    state.close()
    with run_platform(tmp_path / "data") as local:
        (target,) = local.get(f"/pipeline-promotions/{promotion['id']}/promotion-targets")
        assert (target["status"], target["release"]["id"]) == ("succeeded", release)


def _copy(data: Path, to: Path) -> None:
    """Copy a running platform's folder; its database at one instant, which files copied in turn would not be."""
    shutil.copytree(data, to, ignore=shutil.ignore_patterns("work", "*.lock", "state.db*"))
    with closing(sqlite3.connect(data / "state.db")) as live, closing(sqlite3.connect(to / "state.db")) as copy:
        live.backup(copy)


class _Cut:
    """A promotion, a setup, review apps that come and go, and a test run, each in the middle."""

    def __init__(self, local: Any, folder: Path) -> None:
        self.folder = folder
        pipeline = local.post("/pipelines", {"name": "shop"})["id"]
        self.staging, self.production = local.app(), local.app()
        for app, stage in ((self.staging, "staging"), (self.production, "production")):
            local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline, "stage": stage})
        local.patch(f"/apps/{self.production['id']}/config-vars", {"HOLD": "yes"})
        local.deploy(self.staging, {"Procfile": f"release: [ -z $HOLD ] || {self._hang('promotion')}\n"})
        source = {"pipeline": {"id": pipeline}, "source": {"app": {"id": self.staging["id"]}}}
        self.promotion = local.post(
            "/pipeline-promotions", source | {"targets": [{"app": {"id": self.production["id"]}}]}
        )

        url = local.upload({"Procfile": f"release: {self._hang('setup')}\n", "app.json": "{}"})
        self.setup = local.post("/app-setups", {"source_blob": {"url": url}})

        url = local.upload({"Procfile": f"release: {self._hang('review')}\n"})
        body = {"pipeline": pipeline, "source_blob": {"url": url}}
        self.review = local.post("/review-apps", body | {"branch": "a"})

        scripts = {"pr-predestroy": f"[ -e {folder}/leaving ] || {self._hang('leaving')}"}
        url = local.upload({"Procfile": "worker: sleep 1000\n", "app.json": json.dumps({"scripts": scripts})})
        body = {"pipeline": pipeline, "source_blob": {"url": url}}
        self.leaving = local.post("/review-apps", body | {"branch": "b"})
        while local.get(f"/review-apps/{self.leaving['id']}")["status"] != "created":
            PAUSE.wait(0.02)
        local.delete(f"/review-apps/{self.leaving['id']}")

        test = {"environments": {"test": {"scripts": {"test": self._hang("test")}}}}
        url = local.upload({"Procfile": "worker: x\n", "app.json": json.dumps(test)})
        commit = {"commit_branch": "main", "commit_message": "", "commit_sha": "0123"}
        self.run = local.post("/test-runs", commit | {"pipeline": pipeline, "source_blob_url": url})

    def wait(self) -> None:
        while not all((self.folder / name).exists() for name in ("promotion", "setup", "review", "leaving", "test")):
            PAUSE.wait(0.02)

    def _hang(self, name: str) -> str:
        return f"(touch {self.folder}/{name}; sleep 1000)"
