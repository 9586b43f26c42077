"""The judgement of a history: what the audit log tells must be right, whole, and what stands in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.delivery import TEST_LEG, Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import PipelineSpec

from .ledger import Ledger
from .objections import Said

MOVES = {
    "gates.passed": ({"waiting"}, "running"),
    "gates.waiting": ({"waiting"}, "waiting"),
    "gates.failed": ({"waiting"}, "failed"),
    "ci.succeeded": ({"running"}, "waiting"),
    "ci.failed": ({"running"}, "failed"),
    "ci.errored": ({"running"}, "failed"),
    "leg.started": ({"running"}, "running"),
    "deploy.succeeded": ({"running"}, "waiting"),
    "deploy.failed": ({"running"}, "failed"),
    "promotion.succeeded": ({"running"}, "waiting"),
    "promotion.failed": ({"running"}, "failed"),
    "delivery.delivered": ({"running", "waiting", "errored"}, "delivered"),
    "delivery.errored": ({"running"}, "errored"),
    "delivery.superseded": ({"waiting", "errored"}, "superseded"),
    "delivery.failed": ({"waiting"}, "failed"),
    "delivery.reopened": ({"failed", "errored", "running"}, "waiting"),
    "delivery.resumed": ({"errored"}, "running"),
}
"""By the kinds of events of a delivery: the statuses that it may have before, and the one that it has then."""
MOMENT = timedelta(milliseconds=50)
LAST_MOMENT = timedelta(milliseconds=10)
"""Between the last look at the locks and a release."""
ARRIVED = ("deploy.succeeded", "promotion.succeeded", "delivery.delivered")
"""Kinds of events that tell that a stage runs what it was to get."""
ABOUT_THE_COMMIT = ("ci.failed", "ci.errored", "deploy.failed", "promotion.failed", "delivery.failed")
"""Kinds of events that tell that a leg failed, or that a person said no."""


@dataclass
class Told:
    """What the log tells of one delivery.

    Parameters:
        failed_by: the kind of event by which it failed.
        passed: the stages whose gates have let it in, and when.
        begun: the stages whose legs it has begun.
    """

    id: str
    commit: str
    status: str = "running"
    failed_by: str | None = None
    passed: dict[str, datetime] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)


@dataclass
class History:
    """Reads the audit log as it grows, and remembers what people have said and done.

    Parameters:
        wrong: what must not have happened.
        asked_by: the people who asked for each commit to move.
        retried: the commits that a person wanted tried again just now.
        resumed_auto: whether a person has just set a stage going again.
    """

    spec: PipelineSpec
    ledger: Ledger
    wrong: list[str] = field(default_factory=list)
    seen: list[Event] = field(default_factory=list)
    deliveries: dict[str, Told] = field(default_factory=dict)
    held: dict[str, datetime] = field(default_factory=dict)
    there: dict[str, str | None] = field(default_factory=dict)
    asked_by: dict[str, set[str]] = field(default_factory=dict)
    retried: set[str] = field(default_factory=set)
    resumed_auto: bool = False

    def read(self, log: list[Event], rows: dict[str, Delivery]) -> list[Event]:
        """Read on; return what is new.

        Parameters:
            log: the whole audit log, oldest first.
            rows: the deliveries as the store has them.
        """
        if log[: len(self.seen)] != self.seen:
            self.wrong.append("the audit log was not only appended to")
        new = log[len(self.seen) :]
        for event in new:
            self._read(event, rows)
            self.seen.append(event)
        return new

    def compare(self, rows: dict[str, Delivery]) -> None:
        """Compare what the log tells with what stands in the store and runs on the platform."""
        stands = {each.id: str(each.status) for each in rows.values()}
        told = {each.id: each.status for each in self.deliveries.values()}
        if stands != told:
            self.wrong.append(f"the log tells {told}, the store has {stands}")
        for stage in self.spec.stages:
            slug_id = self.there.get(stage.name)
            runs = {app: self.ledger.runs(app) for app in stage.apps}
            if slug_id is not None and set(runs.values()) != {slug_id}:
                self.wrong.append(f"the log says that {stage.name} got {slug_id}, and it runs {runs}")

    def hold(self, delivery: Delivery, stage: str) -> str | None:
        """Return why automatic moves of a delivery into a stage pause, if they do."""
        return self._said(self.seen).hold(delivery, stage)

    def locked(self, delivery: Delivery, stage: str) -> str | None:
        """Return who keeps a delivery out of a stage, by a lock that was set before this very moment."""
        at = self.ledger.clock()
        known = [each for each in self.seen if each.at < at - LAST_MOMENT]
        now, before = (self._said(said).locked(delivery, stage, at) for said in (self.seen, known))
        return now and before

    def _read(self, event: Event, rows: dict[str, Delivery]) -> None:
        match event.kind:
            case "delivery.created":
                self._created(event, rows)
            case "rollback.started" | "promotion.started":
                self._moved_by_hand(event)
            case "hold.lifted":
                self._lifted(event)
        told = self.deliveries.get(event.delivery_id or "")
        if told is not None and event.kind in MOVES:
            self._moved(event, told, rows)
        self._account(event, rows)

    def _created(self, event: Event, rows: dict[str, Delivery]) -> None:
        row = rows[event.delivery_id or ""]
        before = [each for each in self.deliveries.values() if each.commit == row.commit]
        if before and before[-1].failed_by in ABOUT_THE_COMMIT and row.commit not in self.retried:
            self.wrong.append(f"{row.commit[:8]} failed by {before[-1].failed_by} and was tried again by itself")
        self.deliveries[row.id] = Told(row.id, row.commit)

    def _moved(self, event: Event, told: Told, rows: dict[str, Delivery]) -> None:
        allowed, now = MOVES[event.kind]
        if told.status not in allowed:
            self.wrong.append(f"{event.kind} of {told.id}, which was {told.status}")
        stage = event.stage or ""
        if event.kind == "leg.started":
            told.begun.add(stage)
        if event.kind == "gates.passed" or (event.kind == "delivery.resumed" and stage != TEST_LEG):
            told.passed[stage] = event.at
            self.wrong += [f"{told.id} follows {newer} into {stage}" for newer in self._newer_in(stage, told, rows)]
            if not self._of(told.id, stage, "wave.failed"):  # what is on its way back is asked nothing
                self._judge(rows[told.id], stage, event)
        begun = stage in told.begun and stage != TEST_LEG
        if event.kind == "delivery.superseded" and begun and not self._overtaken(rows[told.id], stage):
            self.wrong.append(f"{told.id} was superseded while it was on its way into {stage}")
        if now == "failed":
            self._failed(event, rows[told.id])
        told.failed_by = event.kind if now == "failed" else None
        told.status = now

    def _judge(self, row: Delivery, stage: str, event: Event) -> None:
        # Gates go by what they found when they were asked: what was said in that very moment may count or not.
        known = [each for each in self.seen if each.at < event.at - MOMENT]
        found = (self._said(said).objections(row, stage, event.at) for said in (self.seen, known))
        for objection in min(found, key=len):
            self.wrong.append(f"{row.id} was let into {stage}, though {objection}")

    def _said(self, events: list[Event]) -> Said:
        return Said(self.spec, self.ledger, events, self.held, self.asked_by)

    def _failed(self, event: Event, row: Delivery) -> None:
        """Check that somebody said no: a person, the tests, the platform."""
        fate = self.ledger.fates[row.commit]
        refused = any(self._of(row.id, event.stage or "", "approval.refused"))
        right = {
            "ci.failed": fate.ci == "failed",
            "ci.errored": fate.ci == "errored",
            "deploy.failed": not fate.good_in(self._apps(event.stage)),
            "promotion.failed": not fate.good_in(self._apps(event.stage)),
            "gates.failed": refused,
            "delivery.failed": refused,
        }
        if not right[event.kind]:
            self.wrong.append(f"{row.id} is called failed ({event.kind}: {event.text}), and nobody said no")

    def _overtaken(self, row: Delivery, stage: str) -> bool:
        """Whether the stage runs what was built after the delivery's own artifact."""
        built = [self.ledger.age(slug) for slug, commit in self.ledger.commits.items() if commit == row.commit]
        own = self.ledger.age(row.slug_id) if row.slug_id else max(built, default=-1)
        return all(self.ledger.age(self.ledger.runs(app)) > own for app in self._apps(stage))

    def _newer_in(self, stage: str, told: Told, rows: dict[str, Delivery]) -> list[str]:
        """Return the deliveries of newer commits that a stage runs, and that nobody has said no to or taken back."""
        order, last = list(self.ledger.fates), self.spec.stages[-1].name
        arrived = {each.delivery_id for each in self.seen if each.kind in ARRIVED and each.stage == stage}
        return [
            each.id
            for each in rows.values()
            if each.id in arrived
            and self.deliveries[each.id].status in ("running", "waiting", "errored", "delivered")
            and order.index(each.commit) > order.index(told.commit)
            and self._runs(stage, each)
            and (each.status is not Status.DELIVERED or self._runs(last, each))
        ]

    def _runs(self, stage: str, delivery: Delivery) -> bool:
        return {self.ledger.runs(app) for app in self._apps(stage)} == {delivery.slug_id}

    def _moved_by_hand(self, event: Event) -> None:
        if self._is_older(event):
            self.held[event.stage or ""] = event.at

    def _is_older(self, event: Event) -> bool:
        age = self.ledger.age
        moves: Any = event.data.get("moves")
        if moves is not None:
            slugs = {each.id: each.slug_id for app in moves for each in self.ledger.releases(app)}
            return any(age(slugs[move["to"]]) < age(move["left"]) for move in moves.values())
        before: Any = event.data["baseline"]
        slug_id: Any = event.data["slug_id"]
        return any(age(slug_id) < age(each["slug_id"]) for each in before.values())

    def _lifted(self, event: Event) -> None:
        stage = next(each for each in self.spec.stages if each.name == event.stage)
        before = self.spec.before(stage.name) or stage
        good = [each.slug_id for each in self.ledger.releases(before.apps[0]) if each.status == "succeeded"]
        newest = max(good, key=self.ledger.age)
        if not self.resumed_auto and {self.ledger.runs(app) for app in stage.apps} != {newest}:
            self.wrong.append(f"{event.text}: but it does not run the newest, {newest}")
        self.held.pop(stage.name, None)

    def _account(self, event: Event, rows: dict[str, Delivery]) -> None:
        """Remember what a stage got last; nothing while somebody is at it."""
        stage = event.stage or ""
        if event.kind in ("leg.started", "gates.passed", "promotion.started", "rollback.started"):
            self.there[stage] = None
        if event.kind in ("deploy.succeeded", "promotion.succeeded", "delivery.delivered"):
            row = rows.get(event.delivery_id or "")
            slug_id: Any = row.slug_id if row is not None else event.data["slug_id"]
            self.there[stage] = slug_id

    def _apps(self, stage: str | None) -> tuple[str, ...]:
        return next((each.apps for each in self.spec.stages if each.name == stage), ())

    def _of(self, delivery_id: str, stage: str, kind: str) -> list[Event]:
        return [each for each in self.seen if (each.delivery_id, each.stage, each.kind) == (delivery_id, stage, kind)]
