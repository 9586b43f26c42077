from __future__ import annotations

import json
import re
import threading
from typing import Any

PAUSE = threading.Event()

WORKER = "worker: sleep 1000\n"


def files(procfile: str = WORKER, **app_json: Any) -> dict[str, str]:
    return {"Procfile": procfile, "app.json": json.dumps(app_json)}


def begin(local: Any, source: Any, status: int = 201, **more: Any) -> Any:
    blob = {"url": local.upload(source), "version": "0123456789abcdef"}
    return local.post("/app-setups", {"source_blob": blob, **more}, status)


def settled(local: Any, setup: Any) -> Any:
    while (now := local.get(f"/app-setups/{setup['id']}"))["status"] == "pending":
        PAUSE.wait(0.02)
    return now


def test_an_app_as_its_app_json_says(local: Any, conforms: Any) -> None:
    source = files(
        "web: sleep 1000\nworker: sleep 1000\n",
        env={"A": "1", "KEY": {"generator": "secret"}, "B": {"required": True}, "C": {"required": False}},
        formation={"web": {"quantity": 0}, "worker": {"quantity": 2, "size": "standard-1x"}},
        buildpacks=[{"url": "herodeploy/procfile"}],
        scripts={"postdeploy": "echo seeding $B; echo done"},
        success_url="/welcome",
    )
    begun = begin(local, source, app={"name": "set-up"}, overrides={"env": {"B": "2", "OTHER": "3"}})
    conforms("app-setup", begun)
    assert begun["app"]["name"] == "set-up"
    assert begun["status"] == "pending"

    setup = settled(local, begun)
    conforms("app-setup", setup)
    assert setup["status"] == "succeeded", setup
    assert setup["postdeploy"] == {"output": "seeding 2\ndone\n", "exit_code": 0}
    assert setup["resolved_success_url"].endswith("/welcome")
    assert setup["build"]["status"] == "succeeded"
    config = local.get("/apps/set-up/config-vars")
    assert re.fullmatch("[0-9a-f]{64}", config.pop("KEY"))
    assert config == {"A": "1", "B": "2", "OTHER": "3"}
    scale = {row["type"]: row["quantity"] for row in local.get("/apps/set-up/formation")}
    assert scale == {"web": 0, "worker": 2}
    assert [row["buildpack"]["url"] for row in local.get("/apps/set-up/buildpack-installations")] == [
        "herodeploy/procfile"
    ]


def test_it_may_go_into_a_pipeline_at_once(local: Any) -> None:
    pipeline = local.post("/pipelines", {"name": "shop"})
    setup = begin(local, files(), pipeline_coupling={"pipeline": pipeline["id"], "stage": "staging"})
    assert settled(local, setup)["status"] == "succeeded"
    assert local.get(f"/apps/{setup['app']['id']}/pipeline-couplings")["stage"] == "staging"


def failure(local: Any, source: Any, **more: Any) -> Any:
    """Fail; the app must be gone and the record still there."""
    setup = settled(local, begin(local, source, **more))
    assert setup["status"] == "failed"
    while local.http.get(f"/apps/{setup['app']['id']}").status_code != 404:
        PAUSE.wait(0.02)
    return local.get(f"/app-setups/{setup['id']}")


def test_without_app_json(local: Any) -> None:
    assert failure(local, {"Procfile": WORKER})["failure_message"] == "app.json not found"


def test_with_a_broken_app_json(local: Any) -> None:
    setup = failure(local, {"Procfile": WORKER, "app.json": "{"})
    assert setup["failure_message"] == "invalid app.json"
    assert "no valid JSON" in setup["manifest_errors"][0]


def test_without_a_required_var(local: Any, conforms: Any) -> None:
    setup = failure(local, files(env={"FOO": {"description": "needed"}, "BAR": "1"}))
    conforms("app-setup", setup)
    assert setup["manifest_errors"] == ["config var FOO is required"]


def test_a_failing_build_leaves_its_output(local: Any) -> None:
    setup = failure(local, files(buildpacks=[{"url": "heroku/nodejs"}]))
    assert setup["failure_message"].startswith("The build failed: ")
    assert setup["build"]["status"] == "failed"
    assert "Push failed" in local.read(setup["build"]["output_stream_url"])


def test_a_failing_release_command_leaves_its_output(local: Any) -> None:
    setup = failure(local, files("release: echo no such table; false\n"))
    assert setup["failure_message"] == "The release command failed: no such table"
    assert "no such table" in local.read(setup["build"]["output_stream_url"])


def test_a_failing_postdeploy(local: Any) -> None:
    setup = failure(local, files(scripts={"postdeploy": "echo oops; exit 3"}))
    assert setup["failure_message"] == "The postdeploy script ended with exit status 3."
    assert setup["postdeploy"] == {"output": "oops\n", "exit_code": 3}


def test_an_unknown_stack(local: Any) -> None:
    assert failure(local, files(stack="heroku-1900"))["manifest_errors"] == ["there is no stack heroku-1900"]


def test_a_source_that_was_never_uploaded(local: Any) -> None:
    blob = local.post("/sources")["source_blob"]
    setup = settled(local, local.post("/app-setups", {"source_blob": {"url": blob["get_url"]}}))
    assert setup["status"] == "failed"
    assert "never uploaded" in setup["failure_message"]


def test_a_source_that_reaches_outside(local: Any) -> None:
    assert "reaches outside" in failure(local, {"../app.json": "{}"})["failure_message"]


def test_what_cannot_be_set_up_is_refused_at_once(local: Any) -> None:
    local.app("taken-by-me")
    assert begin(local, files(), 422, app={"name": "taken-by-me"})["message"] == "Name is already taken"
    local.post("/app-setups", {}, 422)
    local.post("/app-setups", {"source_blob": {"url": "ftp://example.com/x"}}, 422)
    begin(local, files(), 404, pipeline_coupling={"pipeline": "none-such", "stage": "staging"})
    local.call("GET", "/app-setups/none-such", status=404)


def test_an_app_destroyed_meanwhile(local: Any, tmp_path: Any) -> None:
    setup = begin(local, files(f"release: touch {tmp_path}/begun; sleep 1000\n"))
    while not (tmp_path / "begun").exists():
        PAUSE.wait(0.02)
    local.delete(f"/apps/{setup['app']['id']}")
    assert settled(local, setup)["status"] == "failed"


def test_what_a_dead_platform_cut_off(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data") as local:
        setup = begin(local, files(f"release: touch {tmp_path}/begun; sleep 1000\n"))
        while not (tmp_path / "begun").exists():
            PAUSE.wait(0.02)
    with run_platform(tmp_path / "data") as local:
        after = local.get(f"/app-setups/{setup['id']}")
        assert after["status"] == "failed"
        assert "stopped" in after["failure_message"]
        local.call("GET", f"/apps/{setup['app']['id']}", status=404)
