"""Promotion by hand: a person puts one exact release into a stage, now."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.promotion import PromotionPlan, Refusal, narrow, plan_promotion
from herodeploy.domain.times import utc
from herodeploy.engine.direct import DirectRun
from herodeploy.errors import Locked, Refused
from herodeploy.flows import baseline, by_hand, holds, locks, plain, soak
from herodeploy.flows.choose import Chosen, Wish, choose
from herodeploy.flows.judge import OCCUPIED
from herodeploy.flows.moves import last_move, last_of
from herodeploy.flows.occupancy import occupied_by_hand, on_its_way
from herodeploy.flows.promote_leg import promote_leg
from herodeploy.flows.put_back import WAVE_FAILED, never_verified
from herodeploy.flows.services import Services
from herodeploy.flows.targets import way_out
from herodeploy.flows.verified import record_verified


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


def plan(services: Services, wish: Wish, *, override: str | None = None) -> PromotionPlan:
    """Return what `promote` would do, and what would refuse it; parameters as there, errors as of `choose`."""
    chosen = choose(services, wish)
    before = baseline.take(services, narrow(chosen.stage, chosen.apps))
    planned = _plan(services, chosen, before)
    others = {app: each for app, each in before.items() if each["slug_id"] not in (None, planned.slug_id)}
    return replace(
        planned,
        is_way_back=_is_way_back(services, planned, before),
        never_verified=tuple(never_verified(services, chosen.stage.name, others)),
        refused_by=_refused_by(services, chosen, planned, override),
    )


def _refused_by(
    services: Services, chosen: Chosen, planned: PromotionPlan, override: str | None
) -> tuple[Refusal, ...]:
    taken = on_its_way(services, chosen.stage.name)
    turn = (Refusal(OCCUPIED, taken.message),) if taken is not None else ()
    cut = _cut(services, chosen)
    if _goes_back(services, chosen.stage, cut) if cut else planned.there:
        return turn
    return turn + by_hand.refusals(services, planned.stage, chosen.source, chosen.release, planned.commit, override)


def promote(
    services: Services, to: str | None = None, *, wish: Wish | None = None, override: str | None = None
) -> PromotionView:
    """Promote a release of the stage before, now; of the gates only those are asked that hold for people.

    Parameters:
        to: the stage to promote into; the last one unless given.
        wish: more than that; `to` is then not looked at.
        override: why to go past gates that say WAIT or FAIL; None to heed them.

    Raises:
        Refused: a gate is against it, or the promotion or its verification failed.
        UsageError: there is nothing to promote.
    """
    wish = wish or Wish(to)
    chosen = choose(services, wish)
    stage = narrow(chosen.stage, chosen.apps)
    command = replace(wish, to=stage.name).command()
    with occupied_by_hand(services, stage.name) as move_id:
        cut = _cut(services, chosen)
        noted = cut or {"baseline": baseline.take(services, stage), "move": move_id}
        looked = None if cut else services.looked()
        locked = [each.id for each in locks.barring(services, stage.name)]
        planned = _plan(services, chosen, noted["baseline"])
        if not planned.there and not (cut and _goes_back(services, stage, cut)):
            by_hand.ask(services, stage, chosen.source, chosen.release, planned.commit, override, command)
        _tell(services, planned, cut)
        if cut is None and not planned.there:
            noted["is_way_back"] = _is_way_back(services, planned, noted["baseline"])
            _record_start(services, planned, noted)
        payload = _payload(services, planned, noted, cut=cut is not None)
        outcome = _carry_out(services, payload | {"looked": looked, "locks_before": locked})
    if outcome["outcome"] == "halted":
        raise _halted(services, planned, outcome, locked, command)
    got = _succeeded(services, planned, outcome)
    if planned.whole or _others_have_it(services, chosen.stage, planned):
        holds.lift_for_newest(services, chosen.stage, planned.slug_id, "it got the newest")
    already = all(each["id"] == noted["baseline"][app]["release_id"] for app, each in got.items())
    if not already:
        _record_promoted(services, planned)
    _close_waiting(services, chosen.stage, planned)
    versions = {app: each["version"] for app, each in got.items()}
    return PromotionView(stage.name, planned.source_app, planned.release_version, planned.commit, versions, already)


def _plan(services: Services, chosen: Chosen, before: dict[str, baseline.Baseline]) -> PromotionPlan:
    commit = services.slug(chosen.source.name, chosen.slug_id).commit
    return plan_promotion(chosen.stage, chosen.source, chosen.release, commit, before, chosen.apps)


def _release(planned: PromotionPlan) -> str:
    return f"{planned.source_app} v{planned.release_version}"


def _cut(services: Services, chosen: Chosen) -> dict[str, Any] | None:
    """Return what the same promotion by hand noted when it began, if it was cut or halted and nothing moved since."""
    last = last_move(services, chosen.stage.name)
    if last is None or last.kind != "promotion.started" or last.data.get("slug_id") != chosen.slug_id:
        return None
    noted: dict[str, Any] = dict(last.data)
    if not isinstance(noted.get("baseline"), dict) or set(noted["baseline"]) != set(chosen.apps):
        return None
    if "waves" in noted and noted["waves"] != _waves(narrow(chosen.stage, chosen.apps)):
        return None
    return noted | {"since": utc(last.at)}


def _tell(services: Services, planned: PromotionPlan, cut: dict[str, Any] | None) -> None:
    stage = planned.stage.name
    if cut is not None:
        services.tell("info", f"carrying on the promotion of {cut['since']}, which is not through", leg=stage)
    told = f"{stage} has {_release(planned)} already" if planned.there else f"promoting {planned.what}"
    services.tell("leg", told, leg=stage)


def _goes_back(services: Services, stage: StageSpec, cut: dict[str, Any]) -> bool:
    """Whether what was cut is on its way back: that enters nothing, and its own lock is there by then."""
    return last_of(services, stage.name, cut["move"], None, WAVE_FAILED) is not None


def _is_way_back(services: Services, planned: PromotionPlan, before: dict[str, baseline.Baseline]) -> bool:
    """Whether this puts an older artifact than there is."""
    there = [each["slug_id"] for each in before.values()]
    return holds.is_older(holds.built_in_order(services, planned.stage), planned.slug_id, *there)


def _record_start(services: Services, planned: PromotionPlan, noted: dict[str, Any]) -> None:
    stage = planned.stage
    data: dict[str, object] = {**noted, "slug_id": planned.slug_id, "apps": list(stage.apps), "waves": _waves(stage)}
    event = services.event("promotion.started", f"promoting {planned.what}", stage=planned.stage.name, data=data)
    holds.begin(services, planned.stage, event, f"promoted {planned.what}" if noted["is_way_back"] else None)


def _waves(stage: StageSpec) -> list[list[str]]:
    return [list(wave) for wave in stage.waves]


def _payload(services: Services, planned: PromotionPlan, noted: dict[str, Any], *, cut: bool) -> dict[str, Any]:
    soaked = soak.last(services, planned.stage.name, noted["move"], None) if cut else {}
    return {
        "move": noted["move"],
        "pipeline_id": services.pipeline().id,
        "stage": plain.stage_to_json(planned.stage),
        "baseline": noted["baseline"],
        "is_way_back": noted.get("is_way_back", False),
        "slug_id": planned.slug_id,
        "source_app_id": planned.source_app_id,
        "source_release_id": planned.release_id,
        "attempt": 1,
        "cut": cut,
        **soaked,
    }


def _carry_out(services: Services, payload: dict[str, Any]) -> dict[str, Any]:
    stage = payload["stage"]["name"]
    while True:
        if (soaked := payload.get("soaked")) is not None:
            payload = {**payload, "soaked": soak.wait(services, stage, payload["move"], soaked, None)}
        outcome = promote_leg(services, DirectRun(), payload)
        if outcome["outcome"] != "soaking":
            return outcome
        services.store.record_event(soak.event(services, stage, payload["move"], outcome, None))
        payload = {**payload, "soaked": outcome}


def _halted(
    services: Services, planned: PromotionPlan, outcome: dict[str, Any], past: list[str], command: str
) -> Locked:
    """Note that a lock has halted a promotion, which ends nothing: asked for again, it is carried on.

    Parameters:
        past: the ids of the locks that it has gone past.
    """
    stage, reason = planned.stage.name, outcome["reason"]
    event = services.event("promotion.halted", f"promotion of {planned.what} halted: {reason}", stage=stage)
    services.store.record_event(event)
    # Where nothing has moved yet, a rollback would take back what was there before.
    back = f"; or go back: herodeploy rollback {stage}" if outcome["half_way"] else ""
    hint = f"it goes on with the same command once that is unlocked: {command}{back}"
    return Locked(reason, stage=stage, past=past, hint=hint)


def _succeeded(services: Services, planned: PromotionPlan, outcome: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each app got, recorded as verified."""
    if outcome["outcome"] != "succeeded":
        text = f"promotion of {planned.what} failed: {outcome['reason']}"
        services.store.record_event(services.event("promotion.failed", text, stage=planned.stage.name))
        raise Refused(outcome["reason"], hint=way_out(services, planned.stage.name))
    record_verified(services, planned.stage.name, outcome, planned.commit or "", None)
    return dict(outcome["releases"])


def _others_have_it(services: Services, stage: StageSpec, planned: PromotionPlan) -> bool:
    """Whether the apps of a held stage that were not chosen run the same, as after one promotion for each app."""
    if not services.store.locks.pauses(services.pipeline().id, stage.name):
        return False
    current = (services.heroku.releases.current(app) for app in stage.apps if app not in planned.stage.apps)
    return all(release is not None and release.slug_id == planned.slug_id for release in current)


def _record_promoted(services: Services, planned: PromotionPlan) -> None:
    data: dict[str, object] = {"slug_id": planned.slug_id, "by_hand": True, "apps": list(planned.stage.apps)}
    event = services.event("promotion.succeeded", f"promoted {planned.what}", stage=planned.stage.name, data=data)
    services.store.record_event(event)


def _close_waiting(services: Services, stage: StageSpec, planned: PromotionPlan) -> None:
    """End the deliveries before a stage that have no reason to wait, once every app of it has what was promoted.

    The one with this artifact is delivered by that, where it was the last stage. Older ones are superseded: they would
    take its place, also one that errored half-way in: nothing of it is left there.
    """
    pipeline_id = services.pipeline().id
    if not services.store.is_verified(pipeline_id, stage.name, planned.slug_id, stage.apps):
        return
    order: list[str] | None = None
    for delivery in services.store.open_deliveries(pipeline_id):
        if delivery.at_stage != stage.name or delivery.status not in (Status.WAITING, Status.ERRORED):
            continue
        if delivery.slug_id == planned.slug_id:
            if stage.name == services.spec.stages[-1].name:
                _close(services, delivery, Status.DELIVERED, "promoted by hand")
            continue
        order = holds.built_in_order(services, stage) if order is None else order
        if holds.is_older(order, delivery.slug_id or "", planned.slug_id):
            _close(services, delivery, Status.SUPERSEDED, f"superseded by a promotion by hand: {planned.what}")


def _close(services: Services, delivery: Delivery, status: Status, reason: str) -> None:
    text = reason if status is Status.DELIVERED else f"{delivery.short} is {reason}"
    event = services.event(f"delivery.{status}", text, delivery_id=delivery.id, stage=delivery.at_stage)
    services.store.move(delivery.id, event=event, expect=delivery.status, status=status, reason=reason)
    if status is Status.SUPERSEDED:
        services.tell("info", f"{delivery.id} ({delivery.short}) is superseded")
