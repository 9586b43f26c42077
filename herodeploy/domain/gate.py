"""Gates: questions asked before a move, and the verdicts that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from herodeploy.domain.approval import Approval
from herodeploy.domain.lock import Hold, Lock, TakenBack
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, PipelineSpec, StageSpec


class Answer(StrEnum):
    """What a gate may say."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WAIT = "WAIT"
    FAIL = "FAIL"
    OVERRIDDEN = "OVERRIDDEN"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate's answer.

    Parameters:
        kind: the gate's kind.
        reason: a sentence for people.
        until: when a WAIT may end by itself, where known.
        facts: what the answer was taken on; plain JSON values, no secrets. A WAIT that is to be looked at again though
            it cannot end yet says under ``look_again_at`` when, in ISO 8601. What is in the way since a certain moment
            says so under ``in_the_way_since``. What people are to be told when the move begins stands in the list
            ``warnings``.
        name: tells gates of one kind apart; the kind, unless herodeploy.yml names it.
        actor, comment: who overrode it and why.
        said: what an overridden gate itself says.
    """

    kind: str
    answer: Answer
    reason: str
    until: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    name: str = ""
    actor: str | None = None
    comment: str | None = None
    said: Answer | None = None

    @property
    def passes(self) -> bool:
        """Whether it stands in no one's way."""
        return self.answer in (Answer.PASS, Answer.OVERRIDDEN)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people are to be told when the move begins."""
        told = self.facts.get("warnings")
        return tuple(map(str, told)) if isinstance(told, list) else ()

    @property
    def look_again_at(self) -> datetime | None:
        """When it is worth asking again though nothing happens; None if only an event helps."""
        told = self.facts.get("look_again_at")
        return datetime.fromisoformat(told) if isinstance(told, str) else self.until

    @property
    def in_the_way_since(self) -> datetime | None:
        """When what it says no for began, where known: who decided before that knew nothing of it."""
        told = self.facts.get("in_the_way_since")
        return datetime.fromisoformat(told) if isinstance(told, str) else None


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision against a gate's WAIT or FAIL, for one artifact in one stage."""

    id: str
    delivery_id: str
    stage: str
    slug_id: str
    gate: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen when a gate looked at the world.

    Parameters:
        at: when it looked last.
        data: what it saw; plain JSON values, no secrets. A look is given the one before, so this is its memory, too.
        error: why it could not look, if it could not; `data` is then the last one seen.
    """

    at: datetime
    data: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that gates may know when they judge one artifact on its way into one stage.

    Parameters:
        ci: the delivery's CI result: succeeded, failed, errored, skipped, or None while it is not in.
        verified_in: the stages before, by name, in every app of which this very artifact passed verification.
        approvals: those given for this artifact in this stage, in this delivery or an earlier one.
        actor: the person who asks for the move; None where it is automatic.
        locks: those of this stage, its pipeline and everything.
        hold: the hold on this stage.
        taken_back: the mark on this commit, if it was taken back from this stage.
        waits: the names of the gates that were asked before in the same go and say WAIT.
        observations: by the gates' `memory`; a gate that needs none, or has not looked yet, has none.
    """

    pipeline: PipelineSpec
    stage: StageSpec
    mode: Mode
    delivery_id: str
    commit: str
    author: str
    slug_id: str | None
    ci: str | None
    verified_in: frozenset[str] = frozenset()
    approvals: tuple[Approval, ...] = ()
    actor: str | None = None
    locks: tuple[Lock, ...] = ()
    hold: Hold | None = None
    taken_back: TakenBack | None = None
    overrides: tuple[Override, ...] = ()
    waits: tuple[str, ...] = ()
    observations: Mapping[str, Observation] = field(default_factory=dict)

    def observed(self, spec: GateSpec) -> Observation | None:
        """What the gate of that configuration saw last."""
        return self.observations.get(spec.memory)


@dataclass(frozen=True, slots=True)
class Question:
    """What a look is given: the facts so far, how the gate is configured, what it saw last, and the time."""

    facts: Facts
    spec: GateSpec
    previous: Observation | None
    now: datetime


Look = Callable[[Question], Mapping[str, object]]
"""Looks at the world for a gate and returns plain JSON values; what it raises means that it could not look."""
