"""Rollback: a new release of an earlier artifact, on every app of a stage."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.errors import InvalidRequest, Refused
from herodeploy.flows import baseline, holds, locks
from herodeploy.flows.between_waves import end, soaking_in
from herodeploy.flows.occupancy import occupied_by_hand, on_its_way
from herodeploy.flows.put_back import roll_back, settle
from herodeploy.flows.services import Services
from herodeploy.flows.verified import record_put_back
from herodeploy.flows.watch import watch_release
from herodeploy.flows.way_back import Pairs, cut, way_back
from herodeploy.gates.lock import sentence


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
    begun = cut(services, spec) if to is None else None
    pairs = begun or way_back(services, spec, soaks, to)
    services.tell("leg", f"rolling {stage} back", leg=stage)
    _tell_locks(services, stage)
    with occupied_by_hand(services, stage, instead_of=soaks):
        if begun is None:
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
