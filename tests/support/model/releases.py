"""The judgement of releases: whether one may be made, and what a move that failed has left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event

from .history import ARRIVED, History

MOVES_BY_HAND = ("promotion.started", "promotion.failed", "rollback.started")


@dataclass(frozen=True)
class Release:
    """One that is about to be made.

    Parameters:
        how: build, promotion or rollback.
        inside: who holds the stage, as the store has it.
        at_work: the ids of all legs that are under way now, that which makes this release last; none by hand.
    """

    app: str
    slug_id: str
    how: str
    inside: str | None
    at_work: list[str]


def against(history: History, release: Release, rows: Mapping[str, Delivery]) -> list[str]:
    """Return why a release must not be made, by what people and the platform have said so far."""
    stage = history.ledger.stages[release.app]
    if not release.at_work:
        found = [f"while {release.inside} is in {stage}"] if release.inside in rows else []
        if release.how == "rollback" and _failed_there(history, release, stage):
            found.append("which failed there and was put back")
        return [f"{release.how} by hand of {release.slug_id} into {release.app} {why}" for why in found]
    *others, mine = [leg_id.split("/") for leg_id in release.at_work]
    row, found = rows[mine[0]], []
    found += [f"{other} is in {stage}, too" for other, there, *_ in others if there == stage]
    if (str(row.status), row.at_stage, release.inside) != ("running", stage, row.id):
        found.append(f"it is {row.status} at {row.at_stage}, and in there is {release.inside}")
    if release.how in ("build", "promotion") and (why := history.locked(row, stage)) is not None:
        found.append(why)
    if release.how == "promotion":
        found += _against_promotion(history, release, row, stage)
    if release.how == "rollback":
        found += _against_put_back(history, release, row, stage)
    return [f"{row.id} makes a release by {release.how} of {release.slug_id} in {release.app}: {why}" for why in found]


def left(history: History, event: Event, rows: Mapping[str, Delivery]) -> list[str]:
    """Return what is wrong about what a stage runs after a move into it has failed: nothing by halves.

    Parameters:
        event: that tells of the failure; nothing was released since.
    """
    stage = next((each for each in history.spec.stages if each.name == event.stage), None)
    if event.kind != "promotion.failed" or stage is None or stage.on_failure != "rollback":
        return []
    begun = _begun(history, event)
    if begun is None:
        return []
    failed = rows[event.delivery_id].slug_id if event.delivery_id else begun.data["slug_id"]
    baseline: Any = begun.data["baseline"]
    had = {app: baseline[app]["slug_id"] for app in stage.apps}
    if begun.data.get("is_way_back") or not all(_was_good(history, stage.name, each, rows) for each in had.values()):
        return []
    runs = {app: history.ledger.runs(app) for app in stage.apps}
    new = [app for app in stage.apps if runs[app] == failed != had[app]]
    return [f"{failed} failed in {stage.name} ({event.text}), and {new} run it on; before: {had}"] if new else []


def _failed_there(history: History, release: Release, stage: str) -> bool:
    """Whether an artifact failed in a stage and was put back, and nobody put it there again since."""
    moved = [each for each in history.seen if each.stage == stage and each.data.get("slug_id") == release.slug_id]
    last = [each.kind for each in moved if each.kind in ("wave.failed", "promotion.started", *ARRIVED)][-1:]
    return last == ["wave.failed"]


def _against_promotion(history: History, release: Release, row: Delivery, stage: str) -> list[str]:
    told, found = history.deliveries[row.id], []
    if release.slug_id != row.slug_id or stage not in told.passed:
        found.append(f"the gates let {row.slug_id} into {list(told.passed)}")
    if history.ledger.runs(release.app) == release.slug_id:
        found.append("it runs that already")
    if (why := history.hold(row, stage)) is not None:
        found.append(why)
    waves = next(each.waves for each in history.spec.stages if each.name == stage)
    number = next(number for number, wave in enumerate(waves) if release.app in wave)
    before = [app for wave in waves[:number] for app in wave]
    unfit = [app for app in before if history.ledger.runs(app) != release.slug_id]
    if unfit or not history.ledger.fate(release.slug_id).good_in(before):
        found.append(f"the waves before, {before}, are not through")
    return found


def _against_put_back(history: History, release: Release, row: Delivery, stage: str) -> list[str]:
    spec, found = next(each for each in history.spec.stages if each.name == stage), []
    begun = [each for each in history.seen if each.kind == "leg.started"]
    baselines: list[Any] = [
        each.data["baseline"] for each in begun if (each.delivery_id, each.stage) == (row.id, stage)
    ]
    if release.slug_id not in [each[release.app]["slug_id"] for each in baselines]:
        found.append("that was not there before")
    if spec.on_failure != "rollback" or not history.ledger.fate(release.slug_id).good_in(spec.apps):
        found.append(f"on_failure is {spec.on_failure}, and that is {history.ledger.fate(release.slug_id)}")
    return found


def _begun(history: History, failed: Event) -> Event | None:
    """Return the event with which a move began; None for one by hand that found nothing to move."""
    here = [each for each in history.seen[: history.seen.index(failed)] if each.stage == failed.stage]
    if failed.delivery_id:
        return [each for each in here if (each.kind, each.delivery_id) == ("leg.started", failed.delivery_id)][-1]
    last = [each for each in here if each.kind in MOVES_BY_HAND or each.kind == "leg.started"][-1:]
    return last[0] if last and last[0].kind == "promotion.started" else None


def _was_good(history: History, stage: str, slug_id: str | None, rows: Mapping[str, Delivery]) -> bool:
    arrived = [each for each in history.seen if each.kind in ARRIVED and each.stage == stage]
    return slug_id is not None and slug_id in [
        rows[each.delivery_id].slug_id if each.delivery_id else each.data["slug_id"] for each in arrived
    ]
