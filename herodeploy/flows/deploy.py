"""The first stage: build a commit, release it, give its slug to the stage's other apps, verify each.

What the stage runs already, verified and newest, is not built again: a commit that comes once more, as one that was
rejected, keeps its artifact, and what people said to that.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Build, Release
from herodeploy.engine.port import Run
from herodeploy.flows import targets
from herodeploy.flows.barred import by_lock, halted
from herodeploy.flows.baseline import Baseline
from herodeploy.flows.holds import built_in_order
from herodeploy.flows.kept import Kept
from herodeploy.flows.put_back import begun, end, go_on
from herodeploy.flows.services import Services
from herodeploy.flows.verified import subject
from herodeploy.flows.watch import release_of_build, upload, watch_build, watch_release
from herodeploy.flows.waves import Move, failed, move_wave, verify_some

Payload = dict[str, Any]


def deploy(services: Services, run: Run, payload: Payload) -> dict[str, Any]:
    """Carry out the leg of the first stage.

    Parameters:
        payload: ``pipeline_id``, ``commit``, ``message``, ``stage``, ``baseline`` of each app, ``attempt``,
            ``move`` (its id), ``delivery_id``.

    Returns:
        the outcome, with ``slug_id``, ``source_app_id``, ``source_release_id`` and the ``releases`` of the apps; or
        that of `barred.halted`.
    """
    builder, *others = payload["stage"]["apps"]
    before: Baseline = payload["baseline"][builder]
    # What it brings is known once it is built.
    source = {"slug_id": "", "source_app_id": before["app_id"], "source_release_id": "", "looked": None}
    move = Move.of({**payload, **source})
    if (noted := run.step("begin", partial(begun, services, move))) is not None:
        return failed(go_on(services, run, move, noted))
    started = run.step("start build", partial(_start_build, services, move, builder, payload))
    if started["barred"] is not None:
        move.barred = started["barred"]
        return halted(move)
    build = run.step("build", partial(_build, services, builder, started, move.stage.name))
    if build["status"] != "succeeded":
        return failed(f"the build of {payload['commit'][:8]} failed in {builder}")
    release = run.step("release", partial(_release, services, builder, build["release_id"], payload))
    if release["status"] != "succeeded":
        return failed(release_failed(builder, release["version"], before))
    move.slug_id, move.source_release_id, move.releases = release["slug_id"], release["id"], {builder: release}
    subjects = [subject(services, builder, before["web_url"], release)]
    reason = run.step(f"verify {builder}", partial(verify_some, services, move, subjects))[builder]
    if reason is None and others:
        reason = move_wave(services, run, move, "others", others)
    return end(services, run, move, reason)


def release_failed(app: str, version: int, before: Baseline) -> str:
    """Say that a release phase failed and what serves on."""
    serving = f"v{before['version']} keeps serving" if before["slug_id"] else "nothing was serving before"
    return f"the release phase of v{version} failed in {app}; {serving}"


def find_build(services: Services, app: str, commit: str, *, known: set[str], attempt: int = 1) -> str | None:
    """Return the id of the build of a commit that is there already.

    Parameters:
        known: builds from before, which count only while they are still at work.
        attempt: what failed in an earlier attempt, the build or its release phase, may have been cut with the
            platform; only the first attempt takes its answer. Later ones build again, too, where another artifact has
            taken the place of what an earlier one released.
    """
    for build in services.heroku.builds.list(app):
        if build.version != commit or (build.status != "pending" and build.id in known):
            continue
        if attempt == 1 or not _lost(services, app, build):
            return build.id
    return None


def start_build(services: Services, app: str, commit: str, message: str) -> str:
    """Return the id of a new build of a commit."""
    url = upload(services, commit)
    return services.heroku.builds.create(app, url, commit, description=message.split("\n", 1)[0]).id


def _lost(services: Services, app: str, build: Build) -> bool:
    """Whether a build came to nothing, or what it released was overtaken by another artifact."""
    if build.status == "failed" or build.release_id is None:
        return build.status == "failed"
    release = services.heroku.releases.get(app, build.release_id)
    if release.status != "succeeded":
        return release.status == "failed"
    current = services.heroku.releases.current(app)
    return current is not None and current.version > release.version and current.slug_id != release.slug_id


def _start_build(services: Services, move: Move, app: str, payload: Payload) -> dict[str, Any]:
    """Return the ``id`` of the build, or which lock has ``barred`` it, or the ``release_id`` where none is needed."""
    commit, before = payload["commit"], payload["baseline"][app]
    if (there := _there(services, move.stage, before["slug_id"], commit)) is not None:
        told = f"v{there.version} is {commit[:8]} already, verified: it is not built again"
        services.tell("step", told, leg=move.stage.name, app=app)
        return {"id": None, "barred": None, "release_id": there.id}
    known = set(before["builds"])
    found = find_build(services, app, commit, known=known, attempt=payload["attempt"])
    if found is None and (reason := by_lock(services, move)) is not None:
        return {"id": None, "barred": reason}
    services.tell("step", f"building {commit[:8]}", leg=move.stage.name, app=app)
    return {"id": found or start_build(services, app, commit, payload["message"]), "barred": None}


def _there(services: Services, stage: StageSpec, slug_id: str | None, commit: str) -> Release | None:
    """Return the release of a commit that need not be built: the stage has it, verified in all apps, and nothing newer.

    Parameters:
        slug_id: what the stage had before the leg began.
    """
    pipeline_id, store = services.pipeline().id, services.store
    if slug_id is None or store.verified_commit(pipeline_id, stage.name, slug_id) != commit:
        return None
    current = services.heroku.releases.current(stage.apps[0])
    if current is None or current.slug_id != slug_id or built_in_order(services, stage)[-1:] != [slug_id]:
        return None
    return current if store.is_verified(pipeline_id, stage.name, slug_id, stage.apps) else None


def _build(services: Services, app: str, started: dict[str, Any], leg: str) -> dict[str, Any]:
    if (there := started.get("release_id")) is not None:
        return {"status": "succeeded", "release_id": there}
    build_id = started["id"]
    build = watch_build(services, app, build_id, leg)
    release_id = release_of_build(services, app, build) if build.status == "succeeded" else None
    if release_id is None:
        services.tell("failed", "the build failed", leg=leg, app=app)
    return {"status": "succeeded" if release_id else "failed", "release_id": release_id}


def _release(services: Services, app: str, release_id: str, payload: Payload) -> dict[str, Any]:
    leg, keep = payload["stage"]["name"], Kept()
    release = watch_release(services, app, release_id, leg, keep=keep)
    if release.status == "succeeded":
        there = release.slug_id == payload["baseline"][app]["slug_id"]
        told = f"v{release.version} {'has it already' if there else 'released'}"
        services.tell("done", told, leg=leg, app=app)
    else:
        services.tell("failed", f"the release phase of v{release.version} failed", leg=leg, app=app)
    got = {
        "id": release.id,
        "version": release.version,
        "status": release.status,
        "slug_id": release.slug_id,
        "app_id": release.app_id,
    }
    targets.built(services, app, payload, got, str(keep))
    return got
