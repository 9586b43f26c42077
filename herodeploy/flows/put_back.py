"""Putting the previous release back where a new one was no good."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.engine.port import Run
from herodeploy.errors import InvalidRequest, PlatformError
from herodeploy.flows import targets
from herodeploy.flows.barred import halted
from herodeploy.flows.baseline import RECENT, Baseline
from herodeploy.flows.keep_out import keep_out
from herodeploy.flows.moves import last_of
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side
from herodeploy.flows.verified import record_put_back, subject, verify_in
from herodeploy.flows.watch import watch_release
from herodeploy.flows.waves import Move, failed

WAVE_FAILED = "wave.failed"
"""Kind of the event that says that a move has failed and what it brought is put back: it cannot succeed any more."""


def begun(services: Services, move: Move) -> dict[str, Any] | None:
    """Return what an earlier process, or an earlier attempt, noted when it began to put this move's releases back."""
    event = last_of(services, move.stage.name, move.id, move.delivery_id, WAVE_FAILED)
    return None if event is None else dict(event.data)


def go_on(services: Services, run: Run, move: Move, noted: dict[str, Any]) -> str:
    """Put back the rest of what `begun` found; return the whole reason."""
    move.id, move.slug_id, move.releases = noted["move"], noted["slug_id"], noted["releases"]
    return put_back(services, run, move, noted["reason"])


def end(services: Services, run: Run, move: Move, reason: str | None) -> dict[str, Any]:
    """Return the outcome of a leg whose waves are over: through, halted by a lock, or failed and put back.

    Parameters:
        reason: why a wave did not come through, if one did not.
    """
    if move.barred is not None:
        return halted(move)
    if reason is not None:
        services.store.targets.skip(move.id)
        return failed(put_back(services, run, move, reason))
    return move.outcome()


def put_back(services: Services, run: Run, move: Move, reason: str) -> str:
    """Put the previous release back into the apps that moved, if the stage asks for it; return the whole reason.

    Into all of them or into none: none where one had a release that was never verified in this stage, as nobody knows
    whether that is any better. An app into which somebody else has released something meanwhile is left alone.
    What is put back is kept out: the stage is locked, the commits are marked, before anything can break on the way.
    """
    if move.stage.on_failure != "rollback":
        return reason
    chosen = run.step("put back: choose", partial(_choose, services, move, reason))
    if chosen["why_not"] is not None:
        services.tell("warning", chosen["why_not"], leg=move.stage.name)
        return f"{reason}; {chosen['why_not']}"
    back = {app: move.baseline[app] for app in chosen["apps"]}
    try:
        started = run.step("put back", partial(_start, services, move, back))
    except PlatformError:
        # Some may have gone back by now, and the others will.
        keep_out(services, move, back, reason)
        raise
    going = {app: got["id"] for app, got in started.items() if got["id"]}
    if going:
        keep_out(services, move, back, reason)
    addresses = {app: before["web_url"] for app, before in back.items()}
    settled = run.step("put back: settle", partial(settle, services, move.stage, going, addresses))
    record_put_back(services, move.stage.name, settled)
    targets.put_back(services, move, settled)
    told = [_told(app, move.baseline[app], started.get(app), settled.get(app)) for app in move.releases]
    return "; ".join([reason, *told])


def roll_back(services: Services, app: str, release_id: str, slug_id: str, after: int) -> str:
    """Return the id of a release that puts `release_id` back into an app: the one there, else a new one.

    Parameters:
        after: the version it must be newer than.
    """
    newer = _newer(services, app, after)
    if newer and newer[0].slug_id == slug_id:
        return newer[0].id
    return services.heroku.releases.rollback(app, release_id).id


def _newer(services: Services, app: str, after: int) -> list[Release]:
    """Return the releases after version `after`, newest first, but for those that failed: they changed nothing."""
    releases = services.heroku.releases.list(app, limit=RECENT)
    return [each for each in releases if each.version > after and each.status in ("succeeded", "pending")]


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
    subjects = [subject(services, app, addresses[app], got) for app, got in settled.items() if not got["reason"]]
    for app, reason in verify_in(services, stage, subjects).items():
        settled[app]["reason"] = reason
    return settled


def _choose(services: Services, move: Move, reason: str) -> dict[str, Any]:
    """Return the ``apps`` that get their previous release back, and ``why_not`` where they must not."""
    stage, had = move.stage.name, {app: move.baseline[app] for app in move.releases}
    back = {app: each for app, each in had.items() if each["slug_id"] not in (None, move.slug_id)}
    if begun(services, move) is not None:
        # Whatever is known by now of what they had: half a way back is worse than either end of it.
        return {"apps": list(back), "why_not": None}
    if move.is_way_back:
        why_not = "this was itself the way back to an older release, so nothing is put back"
        return {"apps": [], "why_not": why_not if back else None}
    unverified = never_verified(services, stage, back)
    if not unverified:
        if back:
            _note(services, move, reason)
        return {"apps": list(back), "why_not": None}
    why_not = (
        f"nothing is put back, as {' and '.join(unverified)} was never verified in {stage}; "
        f"if that is what you want: herodeploy rollback {stage}"
    )
    return {"apps": [], "why_not": why_not}


def never_verified(services: Services, stage: str, had: Mapping[str, Baseline]) -> list[str]:
    """Return the releases, such as ``v3 of shop-eu``, of which nobody knows that they were good in that stage."""
    pipeline_id, verified = services.pipeline().id, services.store.is_verified
    return [
        f"v{each['version']} of {app}"
        for app, each in had.items()
        if not verified(pipeline_id, stage, each["slug_id"] or "", (app,))
    ]


def _note(services: Services, move: Move, reason: str) -> None:
    data: dict[str, object] = {"move": move.id, "slug_id": move.slug_id, "reason": reason, "releases": move.releases}
    text = f"{reason}; the previous release is put back"
    event = services.event(WAVE_FAILED, text, delivery_id=move.delivery_id, stage=move.stage.name, data=data)
    services.store.record_event(event)


def _start(services: Services, move: Move, back: Mapping[str, Baseline]) -> dict[str, dict[str, Any]]:
    """Return of each app the ``id`` of its rollback; or the ``error`` why it has none, or what was ``left`` there."""
    return side_by_side(services, {app: partial(_start_one, services, move, app, each) for app, each in back.items()})


def _start_one(services: Services, move: Move, app: str, before: Baseline) -> dict[str, Any]:
    leg, after = move.stage.name, move.releases[app]["version"]
    if (other := _of_somebody_else(services, move, app, before)) is not None:
        left = f"{app} is left as it is: v{other.version} there is somebody else's"
        services.tell("warning", left, leg=leg, app=app)
        return {"id": None, "error": None, "left": left}
    services.tell("step", f"putting v{before['version']} back", leg=leg, app=app)
    try:
        return {"id": roll_back(services, app, before["release_id"], before["slug_id"], after), "error": None}
    except InvalidRequest as error:
        return {"id": None, "error": error.platform_message}


def _of_somebody_else(services: Services, move: Move, app: str, before: Baseline) -> Release | None:
    """Return the newer release that put a third artifact there, or this one once more, if one did: whoever made it
    knows why.

    A change of config makes a release of the artifact that is there.
    """
    while True:
        newer = _newer(services, app, move.releases[app]["version"])
        slugs = [each.slug_id for each in newer]
        if not newer or slugs[0] == before["slug_id"] or set(slugs) == {move.slug_id}:
            return None
        if newer[0].status == "succeeded":
            return newer[0]
        services.tell("wait", f"v{newer[0].version} is under way, whose end decides", leg=move.stage.name, app=app)
        watch_release(services, app, newer[0].id, move.stage.name, beside=True)


def _told(app: str, before: Baseline, started: dict[str, Any] | None, settled: dict[str, Any] | None) -> str:
    """Say what became of an app."""
    if started is None:
        return f"{app} has no earlier artifact to go back to"
    if started.get("left"):
        return str(started["left"])
    if settled is None:
        return f"v{before['version']} could not be put back in {app}: {started['error']}"
    if settled["reason"]:
        return f"v{before['version']} was put back as v{settled['version']} but {settled['reason']}"
    return f"v{before['version']} was put back in {app} as v{settled['version']}"
