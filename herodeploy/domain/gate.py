"""Gates: questions asked before a move, and the verdicts that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from herodeploy.domain.approval import Approval
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import PipelineSpec, StageSpec


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
        gate: the gate's kind.
        reason: a sentence for people.
        until: when a WAIT may end by itself, where known.
        facts: what the answer was taken on; plain JSON values, no secrets.
    """

    gate: str
    answer: Answer
    reason: str
    until: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that gates may know when they judge one artifact on its way into one stage.

    Parameters:
        ci: the delivery's CI result: succeeded, failed, errored, skipped, or None while it is not in.
        verified_upstream: whether this very artifact passed verification in the stage before.
        approvals: those given for this delivery, stage and artifact.
    """

    pipeline: PipelineSpec
    stage: StageSpec
    mode: Mode
    delivery_id: str
    commit: str
    author: str
    slug_id: str | None
    ci: str | None
    verified_upstream: bool
    approvals: tuple[Approval, ...] = ()
