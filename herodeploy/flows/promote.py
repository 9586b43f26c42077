"""Promotion: one exact release into a stage, wave by wave, each verified before the next."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.release import Release
from herodeploy.engine.direct import DirectRun
from herodeploy.engine.port import Run
from herodeploy.errors import Refused, UsageError
from herodeploy.flows import baseline, by_hand, holds, plain
from herodeploy.flows.moves import last_move
from herodeploy.flows.occupancy import occupied
from herodeploy.flows.put_back import put_back
from herodeploy.flows.services import Services
from herodeploy.flows.verified import record_verified
from herodeploy.flows.waves import Move, failed, move_wave


@dataclass(frozen=True, slots=True)
class PromotionView:
    """What was promoted where.

    Parameters:
        release_version: of the source app.
        apps: the version in each app of the stage that has it.
        already: whether all of them had it before.
    """

    stage: str
    source_app: str
    release_version: int
    commit: str | None
    apps: dict[str, int]
    already: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def promote_leg(services: Services, run: Run, payload: dict[str, Any]) -> dict[str, Any]:
    """Carry out the leg of a stage that receives promotions.

    Parameters:
        payload: ``pipeline_id``, ``stage``, ``baseline`` of each app, ``slug_id``, ``source_app_id``,
            ``source_release_id``, ``attempt``; ``looked`` and ``cut`` as of `Move`.

    Returns:
        the outcome, with ``slug_id``, ``source_app_id``, ``source_release_id`` (for the stage after this one) and the
        ``releases`` of the apps.
    """
    stage = plain.stage_from_json(payload["stage"])
    move = Move(
        pipeline_id=payload["pipeline_id"],
        stage=stage,
        baseline=payload["baseline"],
        slug_id=payload["slug_id"],
        source_app_id=payload["source_app_id"],
        source_release_id=payload["source_release_id"],
        attempt=payload["attempt"],
        looked=payload.get("looked"),
        cut=payload.get("cut", False),
    )
    for number, wave in enumerate(stage.waves, start=1):
        if len(stage.waves) > 1:
            services.tell("step", f"wave {number} of {len(stage.waves)}: {', '.join(wave)}", leg=stage.name)
        reason = move_wave(services, run, move, str(number), wave)
        if reason is not None:
            return failed(put_back(services, run, move, reason))
    return move.outcome()


def promote(services: Services, to: str | None = None, *, override: str | None = None) -> PromotionView:
    """Promote the current release of the stage before, now; of the gates only those are asked that hold for people.

    Parameters:
        to: the stage to promote into; the last one unless given.
        override: why to go past gates that say WAIT or FAIL; None to heed them.

    Raises:
        Refused: a gate is against it, or the promotion or its verification failed.
        UsageError: there is nothing to promote.
    """
    stage, source, release = _what(services, to)
    slug_id = release.slug_id or ""
    commit = services.slug(source.name, slug_id).commit
    what = f"{source.name} v{release.version} ({(commit or 'unknown commit')[:8]}) to {stage.name}"
    with occupied(services, stage.name, f"by-hand-{uuid.uuid4().hex[:8]}"):
        begun = _begun(services, stage, slug_id)
        before = begun or baseline.take(services, stage)
        there = all(each["slug_id"] == slug_id for each in before.values())
        if not there:
            by_hand.ask(services, stage, source, release, commit, override)
        told = f"{stage.name} has {source.name} v{release.version} already" if there else f"promoting {what}"
        services.tell("leg", told, leg=stage.name)
        if begun is None and not there:
            _record_start(services, stage, before, slug_id, what)
        payload = _payload(services, stage, before, source, release)
        payload |= {"cut": True} if begun else {"looked": services.looked()}
        outcome = promote_leg(services, DirectRun(), payload)
    got = _succeeded(services, stage, outcome, what, commit)
    holds.lift_for_newest(services, stage, slug_id, "it got the newest")
    already = all(each["id"] == before[app]["release_id"] for app, each in got.items())
    if not already:
        data: dict[str, object] = {"slug_id": slug_id, "by_hand": True}
        event = services.event("promotion.succeeded", f"promoted {what}", stage=stage.name, data=data)
        services.store.record_event(event)
    _close_waiting(services, stage, slug_id)
    versions = {app: each["version"] for app, each in got.items()}
    return PromotionView(stage.name, source.name, release.version, commit, versions, already)


def _begun(services: Services, stage: StageSpec, slug_id: str) -> dict[str, baseline.Baseline] | None:
    """Return what the stage had before a promotion of this artifact by hand, if cut and nothing moved since."""
    last = last_move(services, stage.name)
    if last is None or last.kind != "promotion.started" or last.data.get("slug_id") != slug_id:
        return None
    before = last.data.get("baseline")
    if not isinstance(before, dict) or set(before) != set(stage.apps):
        return None
    services.tell("info", f"carrying on the promotion of {last.at:%Y-%m-%d %H:%M} UTC, which was cut", leg=stage.name)
    return before


def _record_start(
    services: Services, stage: StageSpec, before: dict[str, baseline.Baseline], slug_id: str, what: str
) -> None:
    data: dict[str, object] = {"slug_id": slug_id, "baseline": before}
    event = services.event("promotion.started", f"promoting {what}", stage=stage.name, data=data)
    there = [each["slug_id"] for each in before.values()]
    older = holds.is_older(holds.built_in_order(services, stage), slug_id, *there)
    holds.begin(services, stage, event, f"promoted {what}" if older else None)


def _what(services: Services, to: str | None) -> tuple[StageSpec, App, Release]:
    stage = services.stage(to) if to else services.spec.stages[-1]
    before = services.spec.before(stage.name)
    if before is None:
        raise UsageError(f"{stage.name} builds and receives no promotion", hint="herodeploy deliver")
    source = services.heroku.apps.get(before.apps[0])
    release = services.heroku.releases.current(source.name)
    if release is None or release.slug_id is None:
        raise UsageError(f"{source.name} has no release to promote", hint="herodeploy deliver")
    if not services.store.is_verified(services.pipeline().id, before.name, release.slug_id):
        services.tell("warning", f"v{release.version} of {source.name} has not passed verification in {before.name}")
    return stage, source, release


def _payload(
    services: Services, stage: StageSpec, before: dict[str, baseline.Baseline], source: App, release: Release
) -> dict[str, Any]:
    return {
        "pipeline_id": services.pipeline().id,
        "stage": plain.stage_to_json(stage),
        "baseline": before,
        "slug_id": release.slug_id,
        "source_app_id": source.id,
        "source_release_id": release.id,
        "attempt": 1,
    }


def _succeeded(
    services: Services, stage: StageSpec, outcome: dict[str, Any], what: str, commit: str | None
) -> dict[str, dict[str, Any]]:
    """Return what each app got, recorded as verified."""
    if outcome["outcome"] != "succeeded":
        text = f"promotion of {what} failed: {outcome['reason']}"
        services.store.record_event(services.event("promotion.failed", text, stage=stage.name))
        raise Refused(outcome["reason"])
    record_verified(services, stage.name, outcome, commit or "", None)
    return dict(outcome["releases"])


def _close_waiting(services: Services, stage: StageSpec, slug_id: str) -> None:
    if stage.name != services.spec.stages[-1].name:
        return
    for delivery in services.store.open_deliveries(services.pipeline().id):
        if delivery.status is Status.WAITING and delivery.at_stage == stage.name and delivery.slug_id == slug_id:
            event = services.event("delivery.delivered", "promoted by hand", delivery_id=delivery.id, stage=stage.name)
            services.store.move(
                delivery.id, event=event, expect=Status.WAITING, status=Status.DELIVERED, reason="promoted by hand"
            )
