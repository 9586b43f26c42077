"""The judgement of a history: what the audit log tells must be right, whole, and what stands in the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.delivery import TEST_LEG, Delivery
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import PipelineSpec

from .ledger import Ledger

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
    "delivery.reopened": ({"failed", "errored"}, "waiting"),
    "delivery.resumed": ({"errored"}, "running"),
}
"""By the kinds of events of a delivery: the statuses that it may have before, and the one that it has then."""
IN_A_LEG = ("ci.failed", "ci.errored", "deploy.failed", "promotion.failed")


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

    def objections(self, delivery: Delivery, stage: str, at: datetime) -> list[str]:
        """Return what stood in a delivery's way into a stage at a time, by what people and the platform had said."""
        overridden = {
            event.data["gate"]
            for event in self._of(delivery.id, stage, "gate.overridden")
            if not event.data.get("by_hand")
        }
        found = {
            "ci": None if self.ledger.tested(delivery.commit) else "no test run of it succeeded",
            "upstream": self._unverified(delivery, stage),
            "lock": self._locked(delivery, stage, at),
            "hold": self._holds(delivery, stage),
            **self._configured(delivery, stage, at),
        }
        return [f"{gate}: {why}" for gate, why in found.items() if why is not None and gate not in overridden]

    def hold_in_the_way(self, delivery: Delivery, stage: str) -> str | None:
        """Return why automatic moves pause, unless a person said yes, or overrode the hold, after it began."""
        since = self.held.get(stage)
        if since is None or self._person_since(delivery, stage, since):
            return None
        return f"a person put an older release there at {since:%d. %H:%M:%S.%f}"

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
        if before and before[-1].failed_by in IN_A_LEG and row.commit not in self.retried:
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
            self._judge(rows[told.id], stage, event)
        begun = stage in told.begun and stage != TEST_LEG
        if event.kind == "delivery.superseded" and begun and not self._overtaken(rows[told.id], stage):
            self.wrong.append(f"{told.id} was superseded while it was on its way into {stage}")
        if now == "failed":
            self._failed(event, rows[told.id])
        told.failed_by = event.kind if now == "failed" else None
        told.status = now

    def _judge(self, row: Delivery, stage: str, event: Event) -> None:
        for objection in self.objections(row, stage, event.at):
            self.wrong.append(f"{row.id} was let into {stage}, though {objection}")

    def _failed(self, event: Event, row: Delivery) -> None:
        """Check that somebody said no: a person, the tests, the platform."""
        fate = self.ledger.fates[row.commit]
        refused = any(self._of(row.id, event.stage or "", "approval.refused"))
        right = {
            "ci.failed": fate.ci == "failed",
            "ci.errored": fate.ci == "errored",
            "deploy.failed": not fate.good_in(event.stage or ""),
            "promotion.failed": not fate.good_in(event.stage or ""),
            "gates.failed": refused,
            "delivery.failed": refused,
        }
        if not right[event.kind]:
            self.wrong.append(f"{row.id} is called failed ({event.kind}: {event.text}), and nobody said no")

    def _overtaken(self, row: Delivery, stage: str) -> bool:
        """Whether the stage runs what was built after the delivery's own artifact."""
        apps = next(each.apps for each in self.spec.stages if each.name == stage)
        built = [self.ledger.age(slug) for slug, commit in self.ledger.commits.items() if commit == row.commit]
        own = self.ledger.age(row.slug_id) if row.slug_id else max(built, default=-1)
        return all(self.ledger.age(self.ledger.runs(app)) > own for app in apps)

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

    def _unverified(self, delivery: Delivery, stage: str) -> str | None:
        before = self.spec.before(stage)
        if before is None:
            return None
        slug_id = delivery.slug_id or ""
        got = all(any(each.slug_id == slug_id for each in self.ledger.releases(app)) for app in before.apps)
        good = slug_id in self.ledger.commits and self.ledger.fate(slug_id).good_in(before.name)
        return None if got and good else f"{slug_id} never ran in {before.name}"

    def _locked(self, delivery: Delivery, stage: str, at: datetime) -> str | None:
        locks: dict[str, Any] = {}
        for event in self.seen:
            if event.kind == "lock.set":
                locks[str(event.data["id"])] = event.data
            if event.kind == "lock.released":
                locks.pop(str(event.data["id"]), None)
        for lock in locks.values():
            over = lock["until"] is not None and datetime.fromisoformat(lock["until"]) <= at
            own = lock["by"] in self.asked_by.get(delivery.commit, set())
            if not (over or own or lock["warning"]) and lock["stage"] in (None, stage):
                return f"{lock['by']} locked it"
        return None

    def _holds(self, delivery: Delivery, stage: str) -> str | None:
        return self.hold_in_the_way(delivery, stage)

    def _person_since(self, delivery: Delivery, stage: str, since: datetime) -> bool:
        words = self._of(delivery.id, stage, "approval.given")
        overrides = [each for each in self._of(delivery.id, stage, "gate.overridden") if each.data["gate"] == "hold"]
        # Overrides hold for this artifact whatever comes later; words are about what was known.
        return bool(overrides) or any(each.at >= since for each in words)

    def _configured(self, delivery: Delivery, stage: str, at: datetime) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        spec = next(each for each in self.spec.stages if each.name == stage)
        options = {gate.kind: dict(gate.options) for gate in spec.gates}
        if stage == self.spec.stages[-1].name and self._mode() == "delivery":
            options.setdefault("approval", {})
        if "approval" in options and (self._mode() == "delivery" or not options["approval"].get("optional", True)):
            found["approval"] = self._unapproved(delivery, stage, at, options["approval"])
        if "window" in options:
            found["window"] = None if at.hour < 12 else f"it is {at:%H:%M}, and the window closed at noon"
        return found

    def _unapproved(self, delivery: Delivery, stage: str, at: datetime, options: dict[str, Any]) -> str | None:
        words: dict[str, tuple[bool, datetime]] = {}
        for event in self.seen:
            if event.delivery_id == delivery.id and event.stage == stage and event.kind.startswith("approval."):
                words[event.actor] = (event.kind == "approval.given", event.at)
        no = [who for who, (yes, _) in words.items() if not yes]
        if no:
            return f"{no[0]} said no"
        lasts = timedelta(hours=4) if "expires" in options else timedelta.max
        valid = [who for who, (_, since) in words.items() if at - since < lasts]
        if options.get("by_other"):
            valid = [who for who in valid if who not in delivery.author]
        wanted = int(options.get("count", 1))
        return None if len(valid) >= wanted else f"{len(valid)} of {wanted} people said yes"

    def _mode(self) -> str:
        modes = [str(event.data["mode"]) for event in self.seen if event.kind == "mode.switched"]
        return modes[-1] if modes else self.spec.mode

    def _of(self, delivery_id: str, stage: str, kind: str) -> list[Event]:
        return [each for each in self.seen if (each.delivery_id, each.stage, each.kind) == (delivery_id, stage, kind)]
