from __future__ import annotations

from typing import Any

import pytest


def pipeline(local: Any, name: str = "shop") -> Any:
    return local.post("/pipelines", {"name": name})


def couple(local: Any, pipeline: Any, app: Any, stage: str) -> Any:
    body = {"pipeline": pipeline["id"], "app": app["id"], "stage": stage}
    return local.post("/pipeline-couplings", body)


def test_a_new_pipeline(local: Any, conforms: Any) -> None:
    row = pipeline(local, "first-one")
    conforms("pipeline", row)
    assert local.get("/pipelines/first-one") == local.get(f"/pipelines/{row['id']}") == row
    assert row in local.get("/pipelines")


def test_looking_up_by_name_finds_all_of_that_name(local: Any) -> None:
    twins = [pipeline(local, "twin"), pipeline(local, "twin")]
    found = local.get("/pipelines?eq[name]=twin")
    assert {row["id"] for row in found} == {row["id"] for row in twins}
    assert local.get("/pipelines?eq[name]=none-such") == []
    assert local.http.get("/pipelines", params={"eq[name]": "twin"}).json() == found


@pytest.mark.parametrize("name", ["ab", "Shop", "1shop", "a_b", "x" * 31, ""])
def test_a_name_that_heroku_refuses_is_refused(local: Any, name: str) -> None:
    local.post("/pipelines", {"name": name}, 422)


def test_renaming_keeps_everything(local: Any) -> None:
    row, app = pipeline(local, "before"), local.app()
    coupling = couple(local, row, app, "staging")
    assert local.patch(f"/pipelines/{row['id']}", {"name": "after"})["name"] == "after"
    assert local.get(f"/apps/{app['id']}/pipeline-couplings")["id"] == coupling["id"]
    local.call("GET", "/pipelines/before", status=404)
    local.call("PATCH", "/pipelines/after", {"name": "No"}, 422)


def test_a_destroyed_pipeline_leaves_its_apps(local: Any) -> None:
    row, app = pipeline(local), local.app()
    couple(local, row, app, "staging")
    assert local.call("DELETE", f"/pipelines/{row['id']}", {"name": "shop"})["id"] == row["id"]
    assert local.call("GET", f"/pipelines/{row['id']}", status=404)["id"] == "not_found"
    assert local.get(f"/apps/{app['id']}")["id"] == app["id"]
    local.call("GET", f"/apps/{app['id']}/pipeline-couplings", status=404)


def test_a_coupling_of_an_app_is_one_object_that_names_the_pipeline(local: Any, conforms: Any) -> None:
    row, app = pipeline(local, "coupled"), local.app()
    made = couple(local, row, app, "staging")
    conforms("pipeline-coupling", made)
    assert local.get(f"/apps/{app['name']}/pipeline-couplings") == made
    assert made["pipeline"] == {"id": row["id"], "name": "coupled"}
    assert local.get(f"/pipelines/{row['id']}/pipeline-couplings") == [made]
    assert made in local.get("/pipeline-couplings")
    assert made in local.get("/users/~/pipeline-couplings")
    moved = local.patch(f"/pipeline-couplings/{made['id']}", {"stage": "production"})
    assert moved["stage"] == "production"
    assert local.delete(f"/pipeline-couplings/{made['id']}")["id"] == made["id"]
    missing = local.call("GET", f"/apps/{app['id']}/pipeline-couplings", status=404)
    assert missing["id"] == "not_found"
    local.call("GET", f"/pipeline-couplings/{made['id']}", status=404)


def test_couplings_take_names_and_refuse_what_makes_no_sense(local: Any) -> None:
    row, app = pipeline(local), local.app()
    base = {"pipeline": row["id"], "app": app["name"], "stage": "staging"}
    assert "stage must be one of" in local.post("/pipeline-couplings", base | {"stage": "qa"}, 422)["message"]
    local.post("/pipeline-couplings", base | {"app": "none-such"}, 404)
    local.post("/pipeline-couplings", base | {"pipeline": "00000000-0000-0000-0000-000000000000"}, 404)
    local.post("/pipeline-couplings", {"app": app["id"]}, 422)
    made = local.post("/pipeline-couplings", base)
    assert "already in a pipeline" in local.post("/pipeline-couplings", base, 422)["message"]
    local.call("PATCH", f"/pipeline-couplings/{made['id']}", {"stage": "qa"}, 422)


def test_a_destroyed_app_leaves_its_pipeline(local: Any) -> None:
    row, app = pipeline(local), local.app()
    couple(local, row, app, "staging")
    local.delete(f"/apps/{app['id']}")
    assert local.get(f"/pipelines/{row['id']}/pipeline-couplings") == []


def test_stage_config_vars(local: Any) -> None:
    row = pipeline(local)
    path = f"/pipelines/{row['id']}/stage/test/config-vars"
    assert local.get(path) == {}
    assert local.patch(path, {"A": "1", "B": "2"}) == {"A": "1", "B": "2"}
    assert local.patch(path, {"A": None}) == {"B": "2"}
    assert local.get(path) == {"B": "2"}
    assert local.get(f"/pipelines/{row['id']}/stage/review/config-vars") == {}
    assert "s3cret" not in local.call("PATCH", path, {"A B": "s3cret"}, 422)["message"]
    local.call("GET", f"/pipelines/{row['id']}/stage/qa/config-vars", status=422)


def test_the_latest_of_each_app(local: Any, source: Any, conforms: Any) -> None:
    row = pipeline(local)
    built, empty = local.app(), local.app()
    couple(local, row, built, "staging")
    couple(local, row, empty, "production")
    deployed = local.deploy(built, {"Procfile": "worker: sleep 1000\n"})
    local.patch(f"/apps/{built['id']}/config-vars", {"A": "1"})
    latest = {r["app"]["id"]: r for r in local.get(f"/pipelines/{row['id']}/latest-releases")}
    assert latest[built["id"]]["description"] == "Set A config vars"
    assert latest[empty["id"]]["version"] == 2
    deployments = local.get(f"/pipelines/{row['id']}/latest-deployments")
    assert [d["id"] for d in deployments] == [deployed["id"]]
    builds = local.get(f"/pipelines/{row['id']}/latest-builds")
    assert [b["release"]["id"] for b in builds] == [deployed["id"]]
    conforms("release", latest[built["id"]])
    conforms("release", deployments[0])
    conforms("pipeline-build", builds[0])
    conforms("pipeline-stack", local.get(f"/pipelines/{row['id']}/pipeline-stack"))
