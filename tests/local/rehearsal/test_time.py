"""What time brings about, when it is let pass."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.clock import Clock
from herodeploy.local.rehearsal.client import Control, Refused

PAUSE = threading.Event()
DAY = 86_400


@pytest.fixture
def local(run_platform: Any, tmp_path: Any) -> Any:
    with run_platform(tmp_path / "data") as local:
        local.control = Control(local.url, local.platform.control_token)
        yield local


def test_releases_expire_after_30_days_but_the_newest_20_and_the_current_one(local: Any) -> None:
    app = local.app()
    first = local.deploy(app, {"Procfile": "worker: sleep 1000\n"})
    second = local.deploy(app, {"Procfile": "worker: sleep 2000\n"})
    slugs = local.data / "slugs"
    for number in range(20):
        local.patch(f"/apps/{app['id']}/config-vars", {"A": str(number)})
    local.control.advance(31 * DAY)
    rows = {row["version"]: row["status"] for row in local.get(f"/apps/{app['id']}/releases")}
    assert [version for version, status in rows.items() if status == "expired"] == [1, 2, 3, 4]
    assert not (slugs / f"{first['slug']['id']}.tgz").exists()
    assert (slugs / f"{second['slug']['id']}.tgz").exists(), "later releases still run it"
    refused = local.post(f"/apps/{app['id']}/releases", {"release": first["id"]}, status=422)
    assert "has expired" in refused["message"]


def test_an_expired_release_cannot_be_promoted(local: Any) -> None:
    pipeline = local.post("/pipelines", {"name": "shop"})["id"]
    staging, production = local.app(), local.app()
    for app, stage in ((staging, "staging"), (production, "production")):
        local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline, "stage": stage})
    release = local.deploy(staging, {"Procfile": "worker: sleep 1000\n"})
    for number in range(20):
        local.patch(f"/apps/{staging['id']}/config-vars", {"A": str(number)})
    local.control.advance(31 * DAY)
    source = {"app": {"id": staging["id"]}, "release": {"id": release["id"]}}
    body = {"pipeline": {"id": pipeline}, "source": source, "targets": [{"app": {"id": production["id"]}}]}
    assert "has expired" in local.post("/pipeline-promotions", body, status=422)["message"]


def test_stale_review_apps_go(local: Any) -> None:
    pipeline = local.post("/pipelines", {"name": "shop"})["id"]
    config = {"repo": "acme/shop", "destroy_stale_apps": True, "stale_days": 3}
    local.post(f"/pipelines/{pipeline}/review-app-config", config)
    url = local.upload({"Procfile": "worker: sleep 1000\n"})
    review = local.post("/review-apps", {"branch": "a", "pipeline": pipeline, "source_blob": {"url": url}})
    while (found := local.get(f"/review-apps/{review['id']}"))["status"] != "created":
        PAUSE.wait(0.02)
    local.control.advance(2 * DAY)
    local.patch(f"/apps/{found['app']['id']}/config-vars", {"A": "1"})
    local.control.advance(2 * DAY)
    assert local.get(f"/review-apps/{review['id']}")["status"] == "created"
    local.control.advance(2 * DAY)
    while local.http.get(f"/review-apps/{review['id']}").status_code != 404:
        PAUSE.wait(0.02)


def test_the_clock_goes_forward_only_and_stays_ahead_after_a_restart(run_platform: Any, tmp_path: Any) -> None:
    with run_platform(tmp_path / "own") as local:
        control = Control(local.url, local.platform.control_token)
        with pytest.raises(Refused, match="cannot be turned back"):
            control.advance(-1)
        with pytest.raises(Refused, match="calendar"):
            control.advance(1e30)
        control.advance(100 * DAY)
        made = local.app()["created_at"]
    with run_platform(tmp_path / "own") as local:
        control = Control(local.url, local.platform.control_token)
        assert control.clock()["ahead"] == 100 * DAY
        assert local.app()["created_at"] >= made


def test_reset_leaves_nothing_but_the_token(local: Any, source: Any) -> None:
    pipeline = local.post("/pipelines", {"name": "shop"})["id"]
    app = local.app()
    local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipeline, "stage": "staging"})
    local.deploy(app, source())
    assert local.visit(app).status_code == 200
    local.control.fault("error", "GET /apps")
    local.control.reset()
    assert (local.get("/apps"), local.get("/pipelines"), local.control.faults()) == ([], [], [])
    assert not list((local.data / "slugs").iterdir())


def test_pipelines_without_apps_go(local: Any) -> None:
    """A just removed empty pipeline answers 403, as hatchet has seen on Heroku."""
    app = local.app()
    kept, left, never = (local.post("/pipelines", {"name": name})["id"] for name in ("kept", "left", "never"))
    local.post("/pipeline-couplings", {"app": app["id"], "pipeline": left, "stage": "staging"})
    local.control.advance(10 * 60)
    coupling = local.get(f"/apps/{app['id']}/pipeline-couplings")
    local.delete(f"/pipeline-couplings/{coupling['id']}")
    local.post("/pipeline-couplings", {"app": app["id"], "pipeline": kept, "stage": "staging"})
    local.control.advance(10 * 60)
    assert {row["name"] for row in local.get("/pipelines")} == {"kept", "left"}
    local.call("GET", f"/pipelines/{never}", status=403)
    local.control.advance(10 * 60)
    assert {row["name"] for row in local.get("/pipelines")} == {"kept"}
    local.call("GET", f"/pipelines/{left}", status=403)
    local.call("GET", "/pipelines/never", status=404)


@pytest.mark.parametrize("left", [b"", b"nonsense", b"1e400"])
def test_a_damaged_clock_is_the_machines(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "clock").write_bytes(left)
    clock = Clock(tmp_path / "clock")
    assert clock.ahead == 0
    clock.advance(60)
    assert Clock(tmp_path / "clock").ahead == 60


def test_dynos_live_in_the_platforms_time(local: Any) -> None:
    local.control.advance(100 * DAY)
    app = local.app()
    release = local.deploy(app, {"Procfile": "web: sleep 1000\n"})
    [dyno] = local.get(f"/apps/{app['id']}/dynos")
    assert dyno["created_at"] >= release["created_at"]
