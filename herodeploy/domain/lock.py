"""Locks and holds: people, or herodeploy after a rollback, that keep changes out of a stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lock:
    """Nobody promotes into the locked place: who says so, why, and until when.

    Parameters:
        pipeline_id: None where everything in this store is locked.
        stage: None where the whole pipeline is locked.
        until: when it ends by itself; None is until somebody unlocks.
        warning: whether it only warns.
    """

    id: str
    pipeline_id: str | None
    stage: str | None
    by: str
    why: str
    since: datetime
    until: datetime | None = None
    warning: bool = False

    @property
    def scope(self) -> str:
        """What it locks, for people."""
        if self.stage is not None:
            return self.stage
        return "everything" if self.pipeline_id is None else "the pipeline"

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Hold:
    """Automatic moves into a stage pause, because a person put an older release there."""

    pipeline_id: str
    stage: str
    by: str
    why: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A commit that was taken back from a stage; no automatic move puts it there again."""

    pipeline_id: str
    stage: str
    commit: str
    why: str
    at: datetime
    delivery_id: str | None = None
