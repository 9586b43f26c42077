"""Rollback: a new release of an earlier artifact, on every app of a stage."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.errors import Refused, UsageError
from herodeploy.flows.occupancy import occupied
from herodeploy.flows.put_back import settle
from herodeploy.flows.services import Services

LOOK_BACK = 100
SHOWN = 5
EVENTS = 500


@dataclass(frozen=True, slots=True)
class AppRollback:
    """What became of one app.

    Parameters:
        from_version: that was current.
        to_version: whose artifact and config were put back.
        version: of the new release.
    """

    app: str
    from_version: int
    to_version: int
    version: int
    commit: str | None


@dataclass(frozen=True, slots=True)
class RollbackView:
    """What became of a stage."""

    stage: str
    apps: tuple[AppRollback, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def rollback(services: Services, stage: str, to: str | None = None, *, why: str | None = None) -> RollbackView:
    """Put an earlier release back on every app of a stage, now, and verify it.

    Parameters:
        to: a version such as ``v12``, or the beginning of a commit; the previous good release unless given.

    Raises:
        Refused: a release phase or a verification failed.
        UsageError: there is nothing to go back to.
    """
    spec = services.stage(stage)
    pairs = {app: _choose(services, spec, app, to) for app in spec.apps}
    services.tell("leg", f"rolling {stage} back", leg=stage)
    with occupied(services, stage, f"by-hand-{uuid.uuid4().hex[:8]}"):
        started = {app: services.heroku.releases.rollback(app, target.id).id for app, (_, target) in pairs.items()}
        settled = {app: settle(services, app, started[app], spec.verify, stage) for app in spec.apps}
    rolled = tuple(_view(services, app, pairs[app], settled[app]["version"]) for app in spec.apps)
    _record(services, spec, pairs, rolled, [each["reason"] for each in settled.values() if each["reason"]], why)
    return RollbackView(stage, rolled)


def _choose(services: Services, stage: StageSpec, app: str, to: str | None) -> tuple[Release, Release]:
    releases = services.heroku.releases.list(app, limit=LOOK_BACK)
    current = next((release for release in releases if release.current), None)
    if current is None or current.slug_id is None:
        raise UsageError(
            f"{app} has never been deployed to; there is nothing to go back to", hint="see: herodeploy status"
        )
    older = [
        release
        for release in releases
        if release.version < current.version and release.slug_id is not None and release.status == "succeeded"
    ]
    target = _previous(services, stage, older, current) if to is None else _named(services, app, older, to)
    if target is None:
        what = "earlier good release" if to is None else f"succeeded earlier release '{to}'"
        versions = ", ".join(f"v{release.version}" for release in older[:SHOWN])
        hint = f"one of: {versions}" if versions else "see: herodeploy history"
        raise UsageError(f"{app} has no {what}", hint=hint)
    return current, target


def _previous(services: Services, stage: StageSpec, older: list[Release], current: Release) -> Release | None:
    """Return the newest release of another artifact, passing over those that were rolled back from."""
    bad = {
        slug
        for event in services.store.events(services.pipeline().id, limit=EVENTS)
        if event.kind == "rollback.succeeded" and event.stage == stage.name
        for slug in _slugs(event.data.get("left"))
    }
    others = [release for release in older if release.slug_id != current.slug_id and release.eligible_for_rollback]
    return next((release for release in others if release.slug_id not in bad), None)


def _slugs(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _named(services: Services, app: str, older: list[Release], to: str) -> Release | None:
    if re.fullmatch(r"v?\d{1,6}", to):
        version = int(to.removeprefix("v"))
        return next((release for release in older if release.version == version), None)
    seen: dict[str, str | None] = {}
    for release in older:
        slug_id = release.slug_id or ""
        if slug_id not in seen:
            seen[slug_id] = services.heroku.slugs.get(app, slug_id).commit
        if (seen[slug_id] or "").startswith(to):
            return release
    return None


def _view(services: Services, app: str, pair: tuple[Release, Release], version: int) -> AppRollback:
    current, target = pair
    commit = services.heroku.slugs.get(app, target.slug_id).commit if target.slug_id else None
    return AppRollback(app, current.version, target.version, version, commit)


def _record(
    services: Services,
    stage: StageSpec,
    pairs: dict[str, tuple[Release, Release]],
    rolled: tuple[AppRollback, ...],
    reasons: list[str],
    why: str | None,
) -> None:
    moves = ", ".join(f"{each.app} v{each.from_version} to v{each.to_version} as v{each.version}" for each in rolled)
    text = f"rolled {stage.name} back: {moves}" + (f" ({why})" if why else "")
    left: list[str] = sorted({current.slug_id for current, _ in pairs.values() if current.slug_id})
    kind = "rollback.failed" if reasons else "rollback.succeeded"
    data: dict[str, object] = {"left": left, "why": why, "reasons": reasons}
    services.store.record_event(services.event(kind, text, stage=stage.name, data=data))
    if reasons:
        raise Refused("; ".join(reasons), hint="see the log above; the release before is still in the list of releases")
