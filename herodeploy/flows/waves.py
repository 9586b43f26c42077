"""Moving one exact release into apps, a wave at a time; the apps of a wave do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import PromotionTarget, Release
from herodeploy.engine.port import Run
from herodeploy.errors import InvalidRequest
from herodeploy.flows import targets
from herodeploy.flows.barred import by_lock
from herodeploy.flows.baseline import RECENT, Baseline, release_there
from herodeploy.flows.kept import Kept
from herodeploy.flows.plain import stage_from_json
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import SideBySide, side_by_side
from herodeploy.flows.verified import subject, verify_in
from herodeploy.flows.verify import Subject
from herodeploy.flows.watch import watch_release

LOOKS_AGAIN = 3


@dataclass
class Move:
    """One artifact on its way into a stage.

    Parameters:
        id: tells moves apart: the leg's id, or a name of its own for what a person does by hand.
        baseline: of each app of the stage, taken before the first attempt.
        looked: token of `Services.looked` for a baseline that was taken just now.
        cut: an earlier process may have promoted already.
        is_way_back: a person puts an older release there, which is a rollback by another name.
        locks_before: the ids of those that were there when a person began it by hand; a delivery's gates know.
        barred: which lock keeps it from going on, set since then.
        releases: what the apps got so far: ``id``, ``version``, ``status``, ``slug_id``, ``app_id``.
    """

    id: str
    pipeline_id: str
    stage: StageSpec
    baseline: dict[str, Baseline]
    slug_id: str
    source_app_id: str
    source_release_id: str
    attempt: int
    delivery_id: str | None = None
    looked: str | None = None
    cut: bool = False
    is_way_back: bool = False
    locks_before: tuple[str, ...] = ()
    barred: str | None = None
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Move:
        """Return the move that a leg's payload tells of."""
        return cls(
            id=payload["move"],
            pipeline_id=payload["pipeline_id"],
            stage=stage_from_json(payload["stage"]),
            baseline=payload["baseline"],
            slug_id=payload["slug_id"],
            source_app_id=payload["source_app_id"],
            source_release_id=payload["source_release_id"],
            attempt=payload["attempt"],
            delivery_id=payload.get("delivery_id"),
            looked=payload.get("looked"),
            cut=payload.get("cut", False),
            is_way_back=payload.get("is_way_back", False),
            locks_before=tuple(payload.get("locks_before", ())),
        )

    def brought(self, apps: Iterable[str]) -> bool:
        """Whether one of some apps that it has reached has another release than it had before."""
        return any(self.releases[app]["id"] != self.baseline[app]["release_id"] for app in apps)

    def outcome(self) -> dict[str, Any]:
        """Return the outcome of a leg that put the artifact into the whole stage."""
        return {
            "outcome": "succeeded",
            "reason": None,
            "slug_id": self.slug_id,
            "source_app_id": self.releases[self.stage.apps[0]]["app_id"],
            "source_release_id": self.releases[self.stage.apps[0]]["id"],
            "releases": self.releases,
        }


def failed(reason: str) -> dict[str, Any]:
    """Return the outcome of a leg to which the platform said no."""
    return {"outcome": "failed", "reason": reason}


def move_wave(services: Services, run: Run, move: Move, name: str, apps: Sequence[str]) -> str | None:
    """Promote the artifact into `apps`, wait for their releases and verify each; return why not, if not.

    A lock that is in the way of it stands in `move.barred` afterwards; nothing has moved then.

    Parameters:
        name: of the wave, part of its steps' names.
    """
    first_nonce = run.step(f"wave {name}: intent", lambda: services.nonce)
    again = move.cut or move.attempt > 1 or first_nonce != services.nonce
    started = run.step(f"wave {name}: promote", partial(_promote, services, move, tuple(apps), again))
    if (reason := started.get("barred")) is not None:
        move.barred = reason
        return str(reason)
    settled = run.step(f"wave {name}: settle", partial(_settle, services, move, started))
    move.releases.update({app: got for app, got in settled.items() if got["status"] == "succeeded"})
    errors = [started["refused"]] if started.get("refused") else []
    errors += [_promotion_failed(app, got, move.baseline[app]) for app, got in settled.items() if got["error"]]
    if errors:
        return "; ".join(errors)
    subjects = [subject(services, app, move.baseline[app]["web_url"], settled[app]) for app in apps]
    reasons = run.step(f"wave {name}: verify", partial(verify_some, services, move, subjects))
    return "; ".join(reason for reason in reasons.values() if reason is not None) or None


def verify_some(services: Services, move: Move, subjects: Sequence[Subject]) -> dict[str, str | None]:
    """Verify what some apps got, at the same time; return why each does not run, None for each that does."""
    reasons = verify_in(services, move.stage, subjects)
    targets.verified(services, move, reasons)
    return reasons


def fail_some(services: Services, move: Move, reasons: dict[str, str | None]) -> dict[str, str | None]:
    """Note that some apps' releases are no good any more, as if verification had said so; return `reasons`."""
    services.store.forget_verified(move.pipeline_id, move.stage.name, move.slug_id)
    targets.verified(services, move, reasons)
    return reasons


def _promote(services: Services, move: Move, apps: Sequence[str], again: bool) -> dict[str, Any]:
    """Return the ``promotion_id`` of what was begun, the ``releases`` of apps that have the artifact, and why not, if
    so: the platform has ``refused``, or a lock has ``barred`` it.
    """
    # What was newer than what ran may have been under way, and may be this very artifact.
    quiet = all(move.baseline[app]["newest"] in (0, move.baseline[app]["version"]) for app in apps)
    there = _seen(move, apps) if services.saves_a_look(move.looked) and quiet else _already_there(services, move, apps)
    # A promotion that a cut attempt sent may not show its release yet, and nothing lists promotions.
    for _ in range(LOOKS_AGAIN if again and len(there) < len(apps) else 0):
        services.pause(services.poll)
        there = _already_there(services, move, apps)
    missing = [app for app in apps if app not in there]
    if missing and (barred := by_lock(services, move)) is not None:
        return {"promotion_id": None, "releases": there, "barred": barred}
    targets.begin(services, move)
    if not missing:
        return {"promotion_id": None, "releases": there}
    services.tell("step", f"promoting to {', '.join(missing)}", leg=move.stage.name)
    try:
        promotion = services.heroku.promotions.create(
            move.pipeline_id,
            move.source_app_id,
            move.source_release_id,
            [move.baseline[app]["app_id"] for app in missing],
        )
    except InvalidRequest as no:
        # The platform's no, such as an expired release, stays one: asking again would not change it.
        targets.failed(services, move, dict.fromkeys(missing, no.platform_message))
        refused = f"the platform refuses to promote to {', '.join(missing)}: {no.platform_message}"
        services.tell("failed", refused, leg=move.stage.name)
        return {"promotion_id": None, "releases": there, "refused": refused}
    return {"promotion_id": promotion.id, "releases": there}


def _seen(move: Move, apps: Sequence[str]) -> dict[str, str]:
    """Return the release of each app that had the artifact a moment ago, when the baseline was taken."""
    return {app: move.baseline[app]["release_id"] for app in apps if move.baseline[app]["slug_id"] == move.slug_id}


def _already_there(services: Services, move: Move, apps: Sequence[str]) -> dict[str, str]:
    """Return the release of each app that has the artifact."""
    looks = {app: partial(services.heroku.releases.list, app, limit=RECENT) for app in apps}
    found = {
        app: release_there(releases, move.slug_id, move.baseline[app], move.attempt)
        for app, releases in side_by_side(services, looks).items()
    }
    return {app: release.id for app, release in found.items() if release is not None}


def _settle(services: Services, move: Move, started: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each app of a wave got, once no release of it is under way, their output streamed meanwhile."""
    outputs = {app: Kept() for app in move.baseline}
    with SideBySide[Release](services) as watched:

        def watch(app: str, release_id: str) -> None:
            watched.begin(app, partial(_watch, services, move, app, release_id, outputs[app]))

        for app, release_id in started["releases"].items():
            watch(app, release_id)
        ended = _targets_settled(services, move, started["promotion_id"], watch, watched.results)
        releases = watched.results()
    apps = [app for app in move.baseline if app in {*started["releases"], *ended}]
    settled = {app: _result(services, move, app, releases.get(app), _error(ended.get(app))) for app in apps}
    targets.released(services, move, settled, {app: str(outputs[app]) for app in apps})
    return settled


def _targets_settled(
    services: Services,
    move: Move,
    promotion_id: str | None,
    watch: Callable[[str, str], None],
    until_watched: Callable[[], object],
) -> dict[str, PromotionTarget]:
    """Return a promotion's targets once none is pending; the release of each is watched as soon as it is there."""
    names = {each["app_id"]: app for app, each in move.baseline.items()}
    found: dict[str, PromotionTarget] = {}
    watched = False
    while promotion_id is not None:
        found = {names[target.app_id]: target for target in services.heroku.promotions.targets(promotion_id)}
        for app, target in found.items():
            if target.release_id is not None:
                watch(app, target.release_id)
        pending = [target for target in found.values() if target.status == "pending"]
        if found and not pending:
            break
        if watched or not found or any(target.release_id is None for target in pending):
            services.pause(services.poll)
        else:
            # A target ends with its release: to ask meanwhile would tell nothing.
            until_watched()
            watched = True
    return found


def _watch(services: Services, move: Move, app: str, release_id: str, keep: Kept) -> Release:
    leg = move.stage.name
    if release_id == move.baseline[app]["release_id"]:
        release = services.heroku.releases.get(app, release_id)
        services.tell("done", f"v{release.version} is there already", leg=leg, app=app)
        return release
    release = watch_release(services, app, release_id, leg, beside=_beside(move), keep=keep)
    if release.status == "succeeded":
        services.tell("done", f"v{release.version} released", leg=leg, app=app)
    return release


def _beside(move: Move) -> bool:
    return any(len(wave) > 1 for wave in move.stage.waves)


def _error(target: PromotionTarget | None) -> str | None:
    if target is None or target.status == "succeeded":
        return None
    return target.error_message or "the platform gave no reason"


def _result(services: Services, move: Move, app: str, release: Release | None, error: str | None) -> dict[str, Any]:
    if error is None and (release is None or release.status != "succeeded"):
        error = "release command failed"
    if error is not None:
        services.tell("failed", error, leg=move.stage.name, app=app)
    return {
        "id": release.id if release else None,
        "version": release.version if release else None,
        "status": "failed" if error else "succeeded",
        "slug_id": release.slug_id if release else None,
        "app_id": move.baseline[app]["app_id"],
        "error": error,
    }


def _promotion_failed(app: str, got: dict[str, Any], before: Baseline) -> str:
    what = f"v{got['version']} failed in {app}" if got["version"] else f"the promotion to {app} failed"
    serving = f"v{before['version']} keeps serving" if before["slug_id"] else "nothing was serving before"
    return f"{what}: {got['error']}; {serving}"
