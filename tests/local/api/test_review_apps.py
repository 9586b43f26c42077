from __future__ import annotations

import json
import re
import threading
from typing import Any

import pytest

PAUSE = threading.Event()

PREDESTROY = "echo goodbye > $FAREWELL"


@pytest.fixture
def pipe(local: Any) -> Any:
    return local.post("/pipelines", {"name": "apply-for-teaching"})


def files(source: Any, **app_json: Any) -> Any:
    return source("review", **{"app.json": json.dumps(app_json)})


def begin(local: Any, pipe: Any, source: Any, branch: str = "update-her-page", status: int = 201, **more: Any) -> Any:
    blob = {"url": local.upload(source), "version": "0123456789abcdef"}
    return local.post("/review-apps", {"pipeline": pipe["id"], "branch": branch, "source_blob": blob, **more}, status)


def settled(local: Any, review: Any) -> Any:
    while (now := local.get(f"/review-apps/{review['id']}"))["status"] in ("pending", "creating"):
        PAUSE.wait(0.02)
    return now


def gone(local: Any, review: Any) -> None:
    while local.http.get(f"/review-apps/{review['id']}").status_code != 404:
        PAUSE.wait(0.02)


def test_a_branch_becomes_an_app_that_answers(local: Any, pipe: Any, source: Any, conforms: Any) -> None:
    begun = begin(local, pipe, files(source, env={"GREETING": "moin"}), pr_number=7)
    conforms("review-app", begun)
    assert begun["status"] in ("pending", "creating")
    review = settled(local, begun)
    conforms("review-app", review)
    assert (review["status"], review["error_status"]) == ("created", None)
    app = local.get(f"/apps/{review['app']['id']}")
    assert re.fullmatch("apply-for-te-update-her-[a-z]{6}", app["name"])
    assert len(app["name"]) == 30
    assert local.visit(app).text == "review moin /"
    assert local.get(f"/apps/{app['name']}/review-app") == review
    assert local.get(f"/pipelines/{pipe['id']}/review-apps") == [review]
    assert local.get(f"/apps/{app['id']}/pipeline-couplings")["stage"] == "review"
    assert local.get(f"/app-setups/{review['app_setup']['id']}")["status"] == "succeeded"
    assert local.current(app)["description"] == "Deploy 01234567"
    local.delete(f"/review-apps/{review['id']}")


def test_who_wins_when_several_set_a_var(local: Any, pipe: Any) -> None:
    local.patch(f"/pipelines/{pipe['id']}/stage/review/config-vars", {"B": "stage", "C": "stage"})
    app_json = {
        "env": {"BASE": "not for review"},
        "environments": {"review": {"env": {"A": "json", "B": "json", "C": "json"}}},
    }
    source = {"Procfile": "worker: sleep 1000\n", "app.json": json.dumps(app_json)}
    review = settled(local, begin(local, pipe, source, "x", environment={"C": "post"}, pr_number=9))
    config = local.get(f"/apps/{review['app']['id']}/config-vars")
    name = local.get(f"/apps/{review['app']['id']}")["name"]
    assert config == {
        "A": "json",
        "B": "stage",
        "C": "post",
        "HEROKU_APP_NAME": name,
        "HEROKU_BRANCH": "x",
        "HEROKU_PR_NUMBER": "9",
    }
    other = settled(local, begin(local, pipe, source, "Feature/Y_1"))
    config = local.get(f"/apps/{other['app']['id']}/config-vars")
    assert (config["HEROKU_BRANCH"], "HEROKU_PR_NUMBER" in config) == ("Feature/Y_1", False)
    assert local.get(f"/apps/{other['app']['id']}")["name"].startswith("apply-for-te-feature-y-")


def test_scripts_run_once_and_deleting_takes_its_time(local: Any, pipe: Any, tmp_path: Any) -> None:
    scripts = {"postdeploy": f"echo seeded >> {tmp_path}/log", "pr-predestroy": f"echo bye >> {tmp_path}/log"}
    source = {"Procfile": "worker: sleep 1000\n", "app.json": json.dumps({"scripts": scripts})}
    review = settled(local, begin(local, pipe, source))
    app = {"id": review["app"]["id"]}
    local.deploy(app, source)
    assert (tmp_path / "log").read_text() == "seeded\n"
    assert "already exists for the update-her-page branch" in begin(local, pipe, source, status=409)["message"]
    assert local.delete(f"/review-apps/{review['id']}")["status"] == "deleting"
    gone(local, review)
    assert (tmp_path / "log").read_text() == "seeded\nbye\n"
    local.call("GET", f"/apps/{app['id']}", status=404)
    assert local.get(f"/pipelines/{pipe['id']}/review-apps") == []
    assert settled(local, begin(local, pipe, source))["status"] == "created"


def test_it_stays_created_although_a_later_build_fails(local: Any, pipe: Any) -> None:
    review = settled(local, begin(local, pipe, {"Procfile": "worker: sleep 1000\n"}))
    assert local.build({"id": review["app"]["id"]}, {"nothing": ""})["status"] == "failed"
    assert local.get(f"/review-apps/{review['id']}")["status"] == "created"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"README": ""}, "The build failed: "),
        ({"Procfile": "release: echo no table; false\n"}, "The release command failed: no table"),
        ({"Procfile": "w: x\n", "app.json": '{"env": {"FOO": {}}}'}, "invalid app.json: config var FOO is required"),
        ({"Procfile": "w: x\n", "app.json": '{"scripts": {"postdeploy": "exit 3"}}'}, "The postdeploy script ended"),
    ],
)
def test_what_fails_is_errored_with_the_reason_and_can_be_deleted(
    local: Any, pipe: Any, conforms: Any, source: Any, reason: str
) -> None:
    review = settled(local, begin(local, pipe, source))
    conforms("review-app", review)
    assert (review["status"], review["app"]) == ("errored", None)
    assert review["error_status"].startswith(reason)
    while local.get(f"/pipelines/{pipe['id']}/pipeline-couplings"):
        PAUSE.wait(0.02)
    local.delete(f"/review-apps/{review['id']}")
    gone(local, review)


def test_deleting_one_that_is_still_being_made(local: Any, pipe: Any, tmp_path: Any) -> None:
    begun = begin(local, pipe, {"Procfile": f"release: touch {tmp_path}/begun; sleep 1000\n"})
    while not (tmp_path / "begun").exists():
        PAUSE.wait(0.02)
    local.delete(f"/review-apps/{begun['id']}")
    gone(local, begun)
    assert local.get(f"/pipelines/{pipe['id']}/pipeline-couplings") == []


def test_destroying_its_app_ends_it(local: Any, pipe: Any) -> None:
    review = settled(local, begin(local, pipe, {"Procfile": "worker: sleep 1000\n"}))
    local.delete(f"/apps/{review['app']['id']}")
    local.call("GET", f"/review-apps/{review['id']}", status=404)


def test_missing_addons_are_told(local: Any, pipe: Any) -> None:
    source = {"Procfile": "worker: sleep 1000\n", "app.json": '{"addons": ["heroku-redis:mini"]}'}
    assert "heroku-redis:mini" in settled(local, begin(local, pipe, source))["message"]


def test_what_cannot_be_made_is_refused_at_once(local: Any, pipe: Any) -> None:
    base = {"pipeline": pipe["id"], "branch": "b", "source_blob": {"url": "resolve", "version": None}}
    assert "source_blob.url" in local.post("/review-apps", base, 422)["message"]
    local.post("/review-apps", base | {"pipeline": "00000000-0000-0000-0000-000000000000"}, 404)
    local.post("/review-apps", {"pipeline": pipe["id"], "source_blob": {"url": "http://127.0.0.1/x"}}, 422)
    local.post("/review-apps", base | {"source_blob": {"url": "http://127.0.0.1/x"}, "pr_number": "7"}, 422)
    for path in ("/review-apps/none-such", f"/apps/{local.app()['id']}/review-app"):
        local.call("GET", path, status=404)


def test_the_configuration(local: Any, pipe: Any, conforms: Any) -> None:
    path = f"/pipelines/{pipe['id']}/review-app-config"
    assert "not enabled" in local.call("GET", path, status=404)["message"]
    local.call("PATCH", path, {"automatic_review_apps": True}, 404)
    local.call("DELETE", path, status=404)
    local.post(path, {}, 422)
    made = local.post(path, {"repo": "owner/name", "automatic_review_apps": True})
    conforms("review-app-config", made)
    assert (made["automatic_review_apps"], made["wait_for_ci"]) == (True, False)
    local.post(path, {"repo": "owner/name"}, 409)
    changed = local.patch(path, {"wait_for_ci": True, "stale_days": 3, "pipeline": "x", "repo": "y/z"})
    assert changed == made | {"wait_for_ci": True, "stale_days": 3}
    local.call("PATCH", path, {"stale_days": 31}, 422)
    assert local.get(path) == changed
    assert local.call("DELETE", path, {"pipeline": "x"}) == changed
    local.call("GET", path, status=404)


def test_a_predictable_name(local: Any, pipe: Any) -> None:
    local.post(f"/pipelines/{pipe['id']}/review-app-config", {"repo": "o/n", "base_name": "shop"})
    review = settled(local, begin(local, pipe, {"Procfile": "worker: sleep 1000\n"}, pr_number=12))
    assert local.get(f"/apps/{review['app']['id']}")["name"] == "shop-pr-12"


def test_what_a_dead_platform_cut_off(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data") as local:
        pipe = local.post("/pipelines", {"name": "shop"})
        good = settled(local, begin(local, pipe, {"Procfile": "worker: sleep 1000\n"}, "good"))
        cut = begin(local, pipe, {"Procfile": f"release: touch {tmp_path}/begun; sleep 1000\n"}, "cut")
        while not (tmp_path / "begun").exists():
            PAUSE.wait(0.02)
    with run_platform(tmp_path / "data") as local:
        assert local.get(f"/review-apps/{good['id']}")["status"] == "created"
        after = local.get(f"/review-apps/{cut['id']}")
        assert (after["status"], after["app"]) == ("errored", None)
        assert "stopped" in after["error_status"]
        assert [app["id"] for app in local.get("/apps")] == [good["app"]["id"]]
