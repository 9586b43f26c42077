"""What stands in a delivery's way into a stage, by what people have said and what the platform has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import PipelineSpec

from .ledger import Ledger


@dataclass(frozen=True)
class Said:
    """All that was said up to a moment.

    Parameters:
        events: of the audit log, oldest first.
        held: since when a stage is held.
        asked_by: the people who asked for each commit to move.
    """

    spec: PipelineSpec
    ledger: Ledger
    events: Sequence[Event]
    held: Mapping[str, datetime]
    asked_by: Mapping[str, set[str]]

    def objections(self, delivery: Delivery, stage: str, at: datetime) -> list[str]:
        """Return what stood in a delivery's way into a stage at a time, by what people and the platform had said."""
        overridden = {event.data["gate"] for event in self._overrides(delivery, stage)} - {"lock", "hold"}
        found = {
            "ci": None if self.ledger.tested(delivery.commit) else "no test run of it succeeded",
            "upstream": self._unverified(delivery, stage),
            "lock": self.locked(delivery, stage, at),
            "hold": self.hold(delivery, stage),
            **self._configured(delivery, stage, at),
        }
        return [f"{gate}: {why}" for gate, why in found.items() if why is not None and gate not in overridden]

    def hold(self, delivery: Delivery, stage: str) -> str | None:
        """Return why automatic moves pause, unless a person said yes, or overrode the hold, after it began."""
        since = self.held.get(stage)
        if since is None or self._person_since(delivery, stage, since):
            return None
        return f"a person put an older release there at {since:%d. %H:%M:%S.%f}"

    def _unverified(self, delivery: Delivery, stage: str) -> str | None:
        before = self.spec.before(stage)
        if before is None:
            return None
        slug_id = delivery.slug_id or ""
        got = all(any(each.slug_id == slug_id for each in self.ledger.releases(app)) for app in before.apps)
        good = slug_id in self.ledger.commits and self.ledger.fate(slug_id).good_in(before.apps)
        return None if got and good else f"{slug_id} never ran in {before.name}"

    def locked(self, delivery: Delivery, stage: str, at: datetime) -> str | None:
        """Return who keeps a delivery out of a stage, as far as nobody has decided otherwise."""
        locks: dict[str, Any] = {}
        # Who says yes asks for it, too, in whichever process it is carried on.
        asked = self.asked_by.get(delivery.commit, set()) | {
            each.actor for each in self._of(delivery.id, stage, "approval.given")
        }
        for event in self.events:
            if event.kind == "lock.set":
                locks[str(event.data["id"])] = {**event.data, "at": event.at}
            if event.kind == "lock.released":
                locks.pop(str(event.data["id"]), None)
        decided = [each.at for each in self._overrides(delivery, stage) if each.data["gate"] == "lock"]
        for lock in locks.values():
            over = lock["until"] is not None and datetime.fromisoformat(lock["until"]) <= at
            own = lock["by"] in asked
            if any(each >= lock["at"] for each in decided):
                continue
            if not (over or own or lock["warning"]) and lock["stage"] in (None, stage):
                return f"{lock['by']} locked it"
        return None

    def _person_since(self, delivery: Delivery, stage: str, since: datetime) -> bool:
        words = self._of(delivery.id, stage, "approval.given")
        decided = [each for each in self._overrides(delivery, stage) if each.data["gate"] == "hold"]
        return any(each.at >= since for each in (*words, *decided))

    def _overrides(self, delivery: Delivery, stage: str) -> list[Event]:
        return [each for each in self._of(delivery.id, stage, "gate.overridden") if not each.data.get("by_hand")]

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
        for event in self.events:
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
        modes = [str(event.data["mode"]) for event in self.events if event.kind == "mode.switched"]
        return modes[-1] if modes else self.spec.mode

    def _of(self, delivery_id: str, stage: str, kind: str) -> list[Event]:
        return [each for each in self.events if (each.delivery_id, each.stage, each.kind) == (delivery_id, stage, kind)]
