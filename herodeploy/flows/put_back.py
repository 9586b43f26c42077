"""Putting the previous release back where a new one was no good."""

from __future__ import annotations

from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.engine.port import Run
from herodeploy.errors import InvalidRequest
from herodeploy.flows.baseline import RECENT
from herodeploy.flows.services import Services
from herodeploy.flows.verified import record_put_back, verify_in
from herodeploy.flows.watch import watch_release
from herodeploy.flows.waves import Move


def put_back(services: Services, run: Run, move: Move, reason: str) -> str:
    """Put the previous release back into the apps that moved, if the stage asks for it; return the whole reason."""
    if move.stage.on_failure != "rollback":
        return reason
    told, settled = [reason], {}
    for app in move.releases:
        text, got = _put_back_one(services, run, move, app)
        told.append(text)
        if got is not None:
            settled[app] = got
    record_put_back(services, move.stage.name, settled)
    return "; ".join(told)


def roll_back(services: Services, app: str, release_id: str, slug_id: str, after: int) -> str:
    """Return the id of a release that puts `release_id` back into an app: the one there, else a new one.

    Parameters:
        after: the version it must be newer than.
    """
    for release in services.heroku.releases.list(app, limit=RECENT):
        if release.version <= after:
            break
        if release.status in ("succeeded", "pending"):
            if release.slug_id == slug_id:
                return release.id
            break
    return services.heroku.releases.rollback(app, release_id).id


def settle(services: Services, stage: StageSpec, app: str, release_id: str) -> dict[str, Any]:
    """Return ``version`` of a rollback's release and the ``reason`` why it does not run, if it does not."""
    release = watch_release(services, app, release_id, stage.name)
    if release.status != "succeeded":
        return {"version": release.version, "reason": f"the release phase of v{release.version} failed in {app}"}
    return {"version": release.version, "reason": verify_in(services, stage, app, release.version)}


def _put_back_one(services: Services, run: Run, move: Move, app: str) -> tuple[str, dict[str, Any] | None]:
    """Return what became of an app in words, and as `settle` says it where a release was put back."""
    before, leg = move.baseline[app], move.stage.name
    if before["slug_id"] is None or before["slug_id"] == move.slug_id:
        return f"{app} has no earlier artifact to go back to", None
    after = move.releases[app]["version"]
    started = run.step(f"put back {app}", partial(_start, services, app, before, after, leg))
    if started["error"]:
        return f"v{before['version']} could not be put back in {app}: {started['error']}", None
    settled = run.step(f"put back {app}: settle", partial(settle, services, move.stage, app, started["id"]))
    if settled["reason"]:
        return f"v{before['version']} was put back as v{settled['version']} but {settled['reason']}", settled
    return f"v{before['version']} was put back in {app} as v{settled['version']}", settled


def _start(services: Services, app: str, before: dict[str, Any], after: int, leg: str) -> dict[str, Any]:
    services.tell("step", f"putting v{before['version']} back", leg=leg, app=app)
    try:
        return {"id": roll_back(services, app, before["release_id"], before["slug_id"], after), "error": None}
    except InvalidRequest as error:
        return {"id": None, "error": error.platform_message}
