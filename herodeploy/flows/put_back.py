"""Putting the previous release back where a new one was no good."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.engine.port import Run
from herodeploy.errors import InvalidRequest
from herodeploy.flows import targets
from herodeploy.flows.baseline import RECENT, Baseline
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side
from herodeploy.flows.verified import record_put_back, subject, verify_in
from herodeploy.flows.watch import watch_release
from herodeploy.flows.waves import Move


def put_back(services: Services, run: Run, move: Move, reason: str) -> str:
    """Put the previous release back into the apps that moved, if the stage asks for it; return the whole reason."""
    if move.stage.on_failure != "rollback":
        return reason
    back = {app: move.baseline[app] for app in move.releases if _goes_back(move, app)}
    started = run.step("put back", partial(_start, services, move, back))
    begun = {app: got["id"] for app, got in started.items() if got["id"]}
    addresses = {app: before["web_url"] for app, before in back.items()}
    settled = run.step("put back: settle", partial(settle, services, move.stage, begun, addresses))
    record_put_back(services, move.stage.name, settled)
    targets.put_back(services, move, settled)
    told = [_told(app, move.baseline[app], started.get(app), settled.get(app)) for app in move.releases]
    return "; ".join([reason, *told])


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


def settle(
    services: Services, stage: StageSpec, begun: Mapping[str, str], addresses: Mapping[str, str | None]
) -> dict[str, dict[str, Any]]:
    """Wait for rollbacks' releases and verify them.

    Parameters:
        begun: the id of each app's release.
        addresses: the web address of each app.

    Returns:
        of each app ``id``, ``app_id``, ``version`` and ``slug_id`` of the release, and the ``reason`` why it does not
        run, if it does not.
    """
    beside = len(begun) > 1
    watches = {
        app: partial(watch_release, services, app, release_id, stage.name, beside=beside)
        for app, release_id in begun.items()
    }
    settled: dict[str, dict[str, Any]] = {
        app: {
            "id": release.id,
            "app_id": release.app_id,
            "version": release.version,
            "slug_id": release.slug_id,
            "reason": None
            if release.status == "succeeded"
            else f"the release phase of v{release.version} failed in {app}",
        }
        for app, release in side_by_side(services, watches).items()
    }
    subjects = [subject(app, addresses[app], got) for app, got in settled.items() if not got["reason"]]
    for app, reason in verify_in(services, stage, subjects).items():
        settled[app]["reason"] = reason
    return settled


def _goes_back(move: Move, app: str) -> bool:
    before = move.baseline[app]
    return before["slug_id"] is not None and before["slug_id"] != move.slug_id


def _start(services: Services, move: Move, back: Mapping[str, Baseline]) -> dict[str, dict[str, Any]]:
    works = {
        app: partial(_start_one, services, app, before, move.releases[app]["version"], move.stage.name)
        for app, before in back.items()
    }
    return side_by_side(services, works)


def _start_one(services: Services, app: str, before: Baseline, after: int, leg: str) -> dict[str, Any]:
    services.tell("step", f"putting v{before['version']} back", leg=leg, app=app)
    try:
        return {"id": roll_back(services, app, before["release_id"], before["slug_id"], after), "error": None}
    except InvalidRequest as error:
        return {"id": None, "error": error.platform_message}


def _told(app: str, before: Baseline, started: dict[str, Any] | None, settled: dict[str, Any] | None) -> str:
    """Say what became of an app."""
    if started is None:
        return f"{app} has no earlier artifact to go back to"
    if settled is None:
        return f"v{before['version']} could not be put back in {app}: {started['error']}"
    if settled["reason"]:
        return f"v{before['version']} was put back as v{settled['version']} but {settled['reason']}"
    return f"v{before['version']} was put back in {app} as v{settled['version']}"
