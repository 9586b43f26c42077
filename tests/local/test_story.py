"""A real Python app's way over the API: review app, tests, staging, promotion of the very slug, rollback."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import herodeploy

DEMO = Path(herodeploy.__file__).parent / "demo" / "app"


@pytest.fixture
def greeter() -> dict[str, str]:
    """The files of the demo app."""
    return {file.name: file.read_text("utf-8") for file in DEMO.iterdir() if file.is_file()}


def until(question: Callable[[], Any]) -> Any:
    pause = threading.Event()
    for _ in range(1200):
        if answer := question():
            return answer
        pause.wait(0.05)
    raise AssertionError("it never happened")


def test_a_python_app_travels_from_review_to_production_and_back(local: Any, greeter: Any, conforms: Any) -> None:
    pipeline = local.post("/pipelines", {"name": "greeter", "owner": None})
    staging, production = local.app("greeter-staging"), local.app("greeter-production")
    for app, stage in ((staging, "staging"), (production, "production")):
        local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline["id"], "stage": stage})
        local.patch(f"/apps/{app['id']}/config-vars", {"SECRET_KEY": "s", "WHO": stage})
    greets(local, review_app(local, pipeline, greeter), "Hello, world!")
    assert ci_result(local, pipeline, greeter) == "succeeded"
    broken = greeter | {"greeter.py": greeter["greeter.py"].replace("Hello", "Bah")}
    assert ci_result(local, pipeline, broken) == "failed"
    first = local.deploy(staging, greeter)
    assert first["status"] == "succeeded"
    greets(local, staging, "Hello, staging!")
    assert promote(local, pipeline, staging, production) == first["slug"]
    greets(local, production, "Hello, production!")
    polite = greeter | {"greeter.py": greeter["greeter.py"].replace('"Hello"', '"Welcome"')}
    second = local.deploy(staging, polite)
    assert promote(local, pipeline, staging, production) == second["slug"]
    greets(local, production, "Welcome, production!")
    local.post(f"/apps/{production['id']}/releases", {"release": "v4"})
    until(lambda: local.current(production)["version"] == 6)
    greets(local, production, "Hello, production!")
    conforms("release", local.current(production))


def greets(local: Any, app: Any, text: str) -> None:
    assert local.visit(app).json() == {"greeting": text}


def review_app(local: Any, pipeline: Any, files: Any) -> Any:
    blob = {"url": local.upload(files), "version": "cafe"}
    review = local.post("/review-apps", {"branch": "topic", "pipeline": pipeline["id"], "source_blob": blob})
    done = until(lambda: (row := local.get(f"/review-apps/{review['id']}"))["status"] not in WORKING and row)
    assert done["status"] == "created", done
    return done["app"]


WORKING = ("pending", "creating", "building", "running")


def ci_result(local: Any, pipeline: Any, files: Any) -> str:
    body = {
        "commit_branch": "main",
        "commit_message": "Greet",
        "commit_sha": "cafe",
        "pipeline": pipeline["id"],
        "source_blob_url": local.upload(files),
    }
    run = local.post("/test-runs", body)
    done = until(lambda: (row := local.get(f"/test-runs/{run['id']}"))["status"] not in WORKING and row)
    (node,) = local.get(f"/test-runs/{run['id']}/test-nodes")
    output = local.read(node["setup_stream_url"]) + local.read(node["output_stream_url"])
    assert "test_it_is_healthy" in output, (done, node, output)
    return str(done["status"])


def promote(local: Any, pipeline: Any, source: Any, target: Any) -> Any:
    release = local.current(source)
    body = {
        "pipeline": {"id": pipeline["id"]},
        "source": {"app": {"id": source["id"]}, "release": {"id": release["id"]}},
        "targets": [{"app": {"id": target["id"]}}],
    }
    promotion = local.post("/pipeline-promotions", body)
    path = f"/pipeline-promotions/{promotion['id']}"
    until(lambda: local.get(path)["status"] == "completed")
    (row,) = local.get(f"{path}/promotion-targets")
    assert row["status"] == "succeeded", row
    return local.get(f"/apps/{target['id']}/releases/{row['release']['id']}")["slug"]
