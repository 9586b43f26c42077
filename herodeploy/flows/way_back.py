"""What a rollback goes back to: of each app of a stage which release, or that it stays as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.domain.times import utc
from herodeploy.errors import UsageError
from herodeploy.flows.moves import last_move
from herodeploy.flows.put_back import WAVE_FAILED
from herodeploy.flows.services import Services

LOOK_BACK = 100
SHOWN = 5
Pairs = dict[str, tuple[Release, Release]]
"""Of each app the release that was current and the one to put back."""


def way_back(services: Services, stage: StageSpec, soaks: Delivery | None, to: str | None) -> Pairs:
    """Return what a rollback of a stage puts back, and where.

    Parameters:
        soaks: the delivery that soaks there between two waves, if one does.
        to: as of `rollback`.

    Raises:
        UsageError: there is nothing to go back to.
    """
    pairs = {app: _choose(services, stage, app, to) for app in _meant(services, stage, soaks, to)}
    if to is not None:
        _check_same(services, stage, pairs, to)
    return pairs


def cut(services: Services, stage: StageSpec) -> Pairs | None:
    """Return what the last rollback of the stage set out to do, if it was cut and nothing has moved there since."""
    last = last_move(services, stage.name)
    if last is None or last.kind != "rollback.started":
        return None
    moves = last.data.get("moves")
    if not isinstance(moves, dict) or not moves or not set(moves) <= set(stage.apps):
        return None
    services.tell("info", f"carrying on the rollback of {utc(last.at)}, which was cut", leg=stage.name)
    get = services.heroku.releases.get
    return {app: (get(app, moves[app]["from"]), get(app, moves[app]["to"])) for app in stage.apps if app in moves}


def _meant(services: Services, stage: StageSpec, soaks: Delivery | None, to: str | None) -> Sequence[str]:
    """Return the apps to put something back on: where a move came only half-way in, those that it has reached."""
    brought = soaks.slug_id if soaks is not None else _half_way(services, stage)
    if brought is None and to is None:
        return stage.apps
    current = {app: services.heroku.releases.current(app) for app in stage.apps}
    if to is not None:
        meant = [app for app, each in current.items() if each is None or _named(services, app, [each], to) is None]
        if not meant and soaks is None:
            raise UsageError(f"every app of {stage.name} runs {to} already", hint="see: herodeploy status")
        return meant
    reached = [app for app, each in current.items() if each is not None and each.slug_id == brought]
    if not reached and soaks is not None:
        raise UsageError(
            f"no app of {stage.name} runs {soaks.short} any more, which {soaks.id} has brought",
            hint=f"name what to go back to: herodeploy rollback {stage.name} --to VERSION",
        )
    return reached or stage.apps


def _half_way(services: Services, stage: StageSpec) -> str | None:
    """Return the artifact of the last move into a stage, if it did not come through: it errored, failed or was cut."""
    last = services.store.targets.of_last_move(services.pipeline().id, stage.name)
    if all(target.good for target in last) and {target.app for target in last} >= set(stage.apps):
        return None
    return next((target.slug_id for target in last if target.slug_id), None)


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
        raise UsageError(f"{app} has no {what}", hint=_others(stage, older, to))
    return current, target


def _others(stage: StageSpec, older: list[Release], to: str | None) -> str:
    """Return what may be put back by name alone."""
    if not older:
        return "see: herodeploy history"
    versions = ", ".join(f"v{release.version}" for release in older[:SHOWN])
    nevertheless = f"put one of these back nevertheless, {versions}: herodeploy rollback {stage.name} --to VERSION"
    return nevertheless if to is None else f"one of: {versions}"


def _previous(services: Services, stage: StageSpec, older: list[Release], current: Release) -> Release | None:
    """Return the newest release of another artifact, passing over those that were left, by hand or by themselves.

    One that was put there again since, by a promotion, is as good as any other.
    """
    left: dict[str, int] = {}
    for event in services.store.audit.of_kind(services.pipeline().id, stage.name, "rollback.started", WAVE_FAILED):
        if (found := _left_by(event, current.app_name)) is not None:
            left.setdefault(*found)
    others = [release for release in older if release.slug_id != current.slug_id and release.eligible_for_rollback]
    return next((release for release in others if release.version > left.get(release.slug_id or "", 0)), None)


def _left_by(event: Event, app: str) -> tuple[str, int] | None:
    """Return the artifact, and the version of its release, from which an app was taken back; None where it was not."""
    data: dict[str, Any] = dict(event.data)
    if event.kind == "rollback.started" and app in data.get("moves", {}):
        return data["moves"][app]["left"], data["moves"][app]["version"]
    if event.kind == WAVE_FAILED and app in data["releases"]:
        return data["slug_id"], data["releases"][app]["version"]
    return None


def _named(services: Services, app: str, older: list[Release], to: str) -> Release | None:
    if re.fullmatch(r"v?\d{1,6}", to):
        version = int(to.removeprefix("v"))
        return next((release for release in older if release.version == version), None)
    seen: dict[str, str | None] = {}
    for release in older:
        slug_id = release.slug_id or ""
        if slug_id not in seen:
            seen[slug_id] = services.slug(app, slug_id).commit
        if (seen[slug_id] or "").startswith(to):
            return release
    return None


def _check_same(services: Services, stage: StageSpec, pairs: Pairs, to: str) -> None:
    """Refuse a version that stands for different artifacts: each app counts its own releases.

    A commit that was built twice is the same for all that.
    """
    releases = {app: pairs[app][1] if app in pairs else services.heroku.releases.current(app) for app in stage.apps}
    slugs = {app: each.slug_id for app, each in releases.items() if each is not None and each.slug_id is not None}
    if len(set(slugs.values())) == 1:
        return
    commits = {app: services.slug(app, slug_id).commit for app, slug_id in slugs.items()}
    if None in commits.values() or len(set(commits.values())) > 1:
        told = ", ".join(f"{(commit or 'an unknown commit')[:8]} in {app}" for app, commit in commits.items())
        hint = f"name the commit, for all of them: herodeploy rollback {stage.name} --to COMMIT"
        raise UsageError(f"{to} is not one artifact: {told}", hint=hint)
