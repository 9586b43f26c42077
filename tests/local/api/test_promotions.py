from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from herodeploy.local.lifecycle import apps, promotions

PAUSE = threading.Event()

RELEASE = "release: echo migrating $NAME; test $NAME != broken\nworker: sleep 1000\n"


@pytest.fixture
def pipe(local: Any) -> Any:
    """A pipeline with a staging and two production apps."""

    class Pipe:
        id = local.post("/pipelines", {"name": "shop"})["id"]
        staging, eu, us = (local.app() for _ in range(3))

        def promote(self, *targets: Any, release: str | None = None, status: int = 201, source: Any = None) -> Any:
            origin: dict[str, Any] = {"app": {"id": (source or self.staging)["id"]}}
            if release:
                origin["release"] = {"id": release}
            body = {
                "pipeline": {"id": self.id},
                "source": origin,
                "targets": [{"app": {"id": app["id"]}} for app in targets],
            }
            return local.post("/pipeline-promotions", body, status)

        def settled(self, promotion: Any) -> tuple[Any, list[Any]]:
            path = f"/pipeline-promotions/{promotion['id']}"
            while local.get(path)["status"] == "pending":
                PAUSE.wait(0.02)
            return local.get(path), local.get(f"{path}/promotion-targets")

    pipe = Pipe()
    for app, stage in ((pipe.staging, "staging"), (pipe.eu, "production"), (pipe.us, "production")):
        local.post("/pipeline-couplings", {"app": app["id"], "pipeline": pipe.id, "stage": stage})
    return pipe


def test_the_very_slug_moves_and_nothing_else(local: Any, pipe: Any, conforms: Any) -> None:
    local.patch(f"/apps/{pipe.staging['id']}/config-vars", {"NAME": "staging"})
    local.patch(f"/apps/{pipe.eu['id']}/config-vars", {"NAME": "eu"})
    release = local.deploy(pipe.staging, {"Procfile": RELEASE})
    local.call("PATCH", f"/apps/{pipe.staging['id']}/formation", {"updates": [{"type": "worker", "quantity": 1}]})

    begun = pipe.promote(pipe.eu)
    conforms("pipeline-promotion", begun)
    assert begun["source"] == {"app": {"id": pipe.staging["id"]}, "release": {"id": release["id"]}}
    assert begun["status"] == "pending"
    assert begun["updated_at"] is None

    done, (target,) = pipe.settled(begun)
    conforms("pipeline-promotion", done)
    conforms("pipeline-promotion-target", target)
    assert done["status"] == "completed"
    assert (target["status"], target["error_message"]) == ("succeeded", None)
    new = local.current(pipe.eu)
    assert new["id"] == target["release"]["id"]
    assert new["slug"] == release["slug"]
    assert local.get(f"/apps/{pipe.eu['id']}/config-vars") == {"NAME": "eu"}
    assert local.read(new["output_stream_url"]).strip() == "migrating eu"
    assert {row["quantity"] for row in local.get(f"/apps/{pipe.eu['id']}/formation")} == {0}


def test_a_failing_release_command_fails_that_target_alone(local: Any, pipe: Any) -> None:
    local.patch(f"/apps/{pipe.us['id']}/config-vars", {"NAME": "broken"})
    local.patch(f"/apps/{pipe.staging['id']}/config-vars", {"NAME": "ok"})
    local.patch(f"/apps/{pipe.eu['id']}/config-vars", {"NAME": "ok"})
    local.deploy(pipe.staging, {"Procfile": RELEASE})
    before = local.current(pipe.us)

    done, targets = pipe.settled(pipe.promote(pipe.eu, pipe.us))

    assert done["status"] == "completed"
    found = {target["app"]["id"]: target for target in targets}
    assert found[pipe.eu["id"]]["status"] == "succeeded"
    assert found[pipe.us["id"]]["status"] == "failed"
    assert found[pipe.us["id"]]["error_message"] == "release command failed"
    assert found[pipe.us["id"]]["release"] is not None
    assert local.current(pipe.us)["id"] == before["id"]


def test_a_target_is_pending_until_its_release_settles(local: Any, pipe: Any, tmp_path: Any) -> None:
    gate = tmp_path / "gate"
    waiting = f"release: while [ ! -e {gate} ] && [ $HOLD = yes ]; do sleep 0.05; done\nworker: sleep 1000\n"
    local.patch(f"/apps/{pipe.staging['id']}/config-vars", {"HOLD": "no"})
    local.patch(f"/apps/{pipe.eu['id']}/config-vars", {"HOLD": "yes"})
    local.deploy(pipe.staging, {"Procfile": waiting})

    begun = pipe.promote(pipe.eu)
    path = f"/pipeline-promotions/{begun['id']}/promotion-targets"
    while local.get(path)[0]["release"] is None:
        PAUSE.wait(0.02)
    target = local.get(path)[0]
    release = local.get(f"/apps/{pipe.eu['id']}/releases/{target['release']['id']}")
    assert (target["status"], release["status"], release["current"]) == ("pending", "pending", False)
    assert local.get(f"/pipeline-promotions/{begun['id']}")["status"] == "pending"

    gate.touch()
    _, (target,) = pipe.settled(begun)
    assert target["status"] == "succeeded"


def test_the_named_release_is_promoted_although_a_newer_one_serves(local: Any, pipe: Any) -> None:
    old = local.deploy(pipe.staging, {"Procfile": "worker: sleep 1000\n"})
    new = local.deploy(pipe.staging, {"Procfile": "worker: sleep 2000\n"})
    assert old["slug"] != new["slug"]

    _, (target,) = pipe.settled(pipe.promote(pipe.eu, release=old["id"]))
    assert local.current(pipe.eu)["slug"] == old["slug"]
    _, (target,) = pipe.settled(pipe.promote(pipe.eu))
    assert local.current(pipe.eu)["slug"] == new["slug"]
    assert local.current(pipe.eu)["id"] == target["release"]["id"]


def test_what_cannot_be_promoted_is_refused(local: Any, pipe: Any) -> None:
    assert "holds no code" in pipe.promote(pipe.eu, status=422)["message"]
    release = local.deploy(pipe.staging, {"Procfile": "worker: sleep 1000\n"})
    stranger = local.app()
    assert "at least one target" in pipe.promote(status=422)["message"]
    assert "not in pipeline" in pipe.promote(stranger, status=422)["message"]
    assert "not in pipeline" in pipe.promote(pipe.eu, source=stranger, status=422)["message"]
    assert "to itself" in pipe.promote(pipe.staging, status=422)["message"]
    assert "once" in pipe.promote(pipe.eu, pipe.eu, status=422)["message"]
    pipe.promote(pipe.eu, release="00000000-0000-0000-0000-000000000000", status=404)
    pipe.promote(pipe.us, source=pipe.eu, release=release["id"], status=404)
    local.post("/pipeline-promotions", {"pipeline": {"id": "00000000-0000-0000-0000-000000000000"}}, 422)
    local.post("/pipeline-promotions", {}, 422)
    local.call("GET", "/pipeline-promotions/none-such", status=404)


def test_an_expired_release_is_refused(local: Any, pipe: Any) -> None:
    release = local.deploy(pipe.staging, {"Procfile": "worker: sleep 1000\n"})
    local.deploy(pipe.staging, {"Procfile": "worker: sleep 2000\n"})
    local.platform.state.releases.get(release["id"]).status = "expired"
    assert "has expired" in pipe.promote(pipe.eu, release=release["id"], status=422)["message"]


def test_a_failed_release_is_refused(local: Any, pipe: Any) -> None:
    release = local.deploy(pipe.staging, {"Procfile": "release: false\nworker: sleep 1000\n"})
    assert release["status"] == "failed"
    assert "it failed" in pipe.promote(pipe.eu, release=release["id"], status=422)["message"]


def test_a_slug_that_is_gone_fails_the_target(local: Any, pipe: Any) -> None:
    release = local.deploy(pipe.staging, {"Procfile": "worker: sleep 1000\n"})
    (local.data / "slugs" / f"{release['slug']['id']}.tgz").unlink()
    _, (target,) = pipe.settled(pipe.promote(pipe.eu))
    assert (target["status"], target["release"]) == ("failed", None)
    assert target["error_message"] == "Could not verify slug checksum"


def test_an_app_that_goes_at_the_same_moment_does_not_come_back(local: Any, pipe: Any) -> None:
    local.deploy(pipe.staging, {"Procfile": "worker: sleep 1000\n"})
    platform = local.platform

    async def both() -> Any:
        app = platform.state.apps.get(pipe.eu["id"])
        source = platform.state.apps.get(pipe.staging["id"])
        pipeline = platform.state.pipelines.get(pipe.id)
        promotion = await promotions.promote(platform, pipeline, source, platform.current_release(source), [app])
        await apps.destroy_app(platform, app, wait=True)
        await platform.jobs.settled(promotion.id)
        return promotion.id

    key = asyncio.run_coroutine_threadsafe(both(), local.loop).result(30)
    (target,) = local.get(f"/pipeline-promotions/{key}/promotion-targets")
    assert (target["status"], target["error_message"]) == ("failed", "the app was destroyed")
    local.call("GET", f"/apps/{pipe.eu['id']}", status=404)
