"""Rollback: a new release of an earlier artifact, on every app of a stage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.domain.times import utc
from herodeploy.errors import InvalidRequest, Refused, UsageError
from herodeploy.flows import baseline, holds, locks
from herodeploy.flows.between_waves import end, soaking_in
from herodeploy.flows.moves import last_move
from herodeploy.flows.occupancy import occupied_by_hand, on_its_way
from herodeploy.flows.put_back import WAVE_FAILED, roll_back, settle
from herodeploy.flows.services import Services
from herodeploy.flows.verified import record_put_back
from herodeploy.flows.watch import watch_release
from herodeploy.gates.lock import sentence

LOOK_BACK = 100
SHOWN = 5
Pairs = dict[str, tuple[Release, Release]]
"""Of each app the release that was current and the one to put back."""


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

    A delivery that soaks there between two waves is ended. Where the last move came only half-way in, apps that it has
    not reached stay as they are, unless `to` names something else than they run.

    Parameters:
        to: a version such as ``v12``, or the beginning of a commit; the previous good release unless given.

    Raises:
        Refused: a release phase or a verification failed.
        UsageError: there is nothing to go back to.
    """
    spec, soaks = services.stage(stage), soaking_in(services, stage)
    if (taken := on_its_way(services, stage, instead_of=soaks)) is not None:
        raise taken
    _until_quiet(services, spec)
    cut = _cut(services, spec) if to is None else None
    pairs = cut or {app: _choose(services, spec, app, to) for app in _meant(services, spec, soaks, to)}
    if to is not None:
        _check_same(services, spec, pairs, to)
    services.tell("leg", f"rolling {stage} back", leg=stage)
    _tell_locks(services, stage)
    with occupied_by_hand(services, stage, instead_of=soaks):
        if cut is None:
            _record_start(services, spec, pairs, why)
        if soaks is not None:
            end(services, soaks, services.actor, why)
        started, refused = _start(services, stage, pairs)
        _forget_verified(services, stage, {app: pairs[app] for app in started})
        addresses = {name: app.web_url for name, app in baseline.apps(services, list(started)).items()}
        settled = settle(services, spec, started, addresses)
        record_put_back(services, stage, settled)
    _lift_for_newest(services, spec, pairs)
    rolled = tuple(_view(services, app, pairs[app], settled[app]["version"]) for app in started)
    reasons = refused + [each["reason"] for each in settled.values() if each["reason"]]
    _record(services, spec, pairs, rolled, reasons, why)
    return RollbackView(stage, rolled)


def _until_quiet(services: Services, stage: StageSpec) -> None:
    """Wait for releases that are under way, as of a promotion that was cut: their ends decide what to go back from."""
    for app in stage.apps:
        newest = next(iter(services.heroku.releases.list(app, limit=1)), None)
        if newest is not None and newest.status == "pending":
            services.tell("wait", f"v{newest.version} is under way, whose end decides", leg=stage.name, app=app)
            watch_release(services, app, newest.id, stage.name, beside=True)


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


def _forget_verified(services: Services, stage: str, pairs: Pairs) -> None:
    """Let nothing go on from here, or come back, by itself that a person takes out."""
    for slug_id in _left(pairs):
        services.store.forget_verified(services.pipeline().id, stage, slug_id)


def _tell_locks(services: Services, stage: str) -> None:
    """Say whose locks are there; none bars the way back."""
    for lock in locks.in_force(services, stage):
        if not locks.is_of(lock, services.actor):
            services.tell("warning", sentence(lock), leg=stage)


def _start(services: Services, stage: str, pairs: Pairs) -> tuple[dict[str, str], list[str]]:
    """Return the new release's id of each app that takes its rollback, and why the others do not."""
    started, refused = {}, []
    for app, (current, target) in pairs.items():
        try:
            started[app] = roll_back(services, app, target.id, target.slug_id or "", current.version)
        except InvalidRequest as error:
            refused.append(f"v{target.version} could not be put back in {app}: {error.platform_message}")
            services.tell("failed", refused[-1], leg=stage, app=app)
    return started, refused


def _cut(services: Services, stage: StageSpec) -> Pairs | None:
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


def _record_start(services: Services, stage: StageSpec, pairs: Pairs, why: str | None) -> None:
    moves = {
        app: {"from": current.id, "to": target.id, "version": current.version, "left": current.slug_id}
        for app, (current, target) in pairs.items()
    }
    data: dict[str, object] = {"moves": moves}
    event = services.event("rollback.started", f"rolling {stage.name} back", stage=stage.name, data=data)
    holds.begin(services, stage, event, _hold(services, stage, pairs, why))


def _hold(services: Services, stage: StageSpec, pairs: Pairs, why: str | None) -> str | None:
    """Return why automatic moves pause, or None where it is the newest artifact that is put back."""
    order = holds.built_in_order(services, stage)
    if order and {target.slug_id for _, target in pairs.values()} == {order[-1]}:
        return None
    versions = sorted({target.version for _, target in pairs.values()})
    return f"back to {' and '.join(f'v{version}' for version in versions)}" + (f": {why}" if why else "")


def _lift_for_newest(services: Services, stage: StageSpec, pairs: Pairs) -> None:
    slugs = {target.slug_id for _, target in pairs.values()}
    if len(slugs) == 1 and (slug_id := slugs.pop()) is not None:
        holds.lift_for_newest(services, stage, slug_id, "it got the newest")


def _left(pairs: Pairs) -> list[str]:
    return sorted({current.slug_id for current, _ in pairs.values() if current.slug_id})


def _view(services: Services, app: str, pair: tuple[Release, Release], version: int) -> AppRollback:
    current, target = pair
    commit = services.slug(app, target.slug_id).commit if target.slug_id else None
    return AppRollback(app, current.version, target.version, version, commit)


def _record(
    services: Services,
    stage: StageSpec,
    pairs: Pairs,
    rolled: tuple[AppRollback, ...],
    reasons: list[str],
    why: str | None,
) -> None:
    moves = ", ".join(f"{each.app} v{each.from_version} to v{each.to_version} as v{each.version}" for each in rolled)
    done = f"rolled {stage.name} back: {moves}" if rolled else f"{stage.name} is as it was"
    text = "; ".join([done, *reasons]) + (f" ({why})" if why else "")
    kind = "rollback.failed" if reasons else "rollback.succeeded"
    data: dict[str, object] = {"left": _left(pairs), "why": why, "reasons": reasons}
    services.store.record_event(services.event(kind, text, stage=stage.name, data=data))
    if reasons:
        raise Refused("; ".join(reasons), hint="see the log above; the release before is still in the list of releases")
