"""One change's journey through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """Where a delivery stands.

    `FAILED` is the platform or a gate saying no; `ERRORED` is herodeploy or the network breaking.
    """

    RUNNING = "running"
    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    ERRORED = "errored"
    SUPERSEDED = "superseded"

    @property
    def ended(self) -> bool:
        """Whether nothing will carry it on."""
        return self in (Status.DELIVERED, Status.FAILED, Status.SUPERSEDED)


TEST_LEG = "test"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the store.

    Parameters:
        id: sorts by time, such as ``20261123-101817-3f9a``.
        at_stage: the leg it is in or waits to enter: ``test`` or a stage's name.
        attempt: counts the legs started at `at_stage`; part of the leg's id.
        ci: the CI result: succeeded, failed, skipped, errored (a test run without an answer, as its build failed; no
            less a no to the change than failed), or None while it is not in.
        slug_id: the artifact, once the first stage has built it.
        source_app_id, source_release_id: the exact release that the last passed stage verified.
        reason: why it waits, failed or was superseded.
        recheck_at: when a waiting one is to be looked at again, an errored one tried again, or what soaks between two
            waves looked at, though nothing happens; None while a leg runs.
        news: how many things happened that may change what its gates say, since they were asked last.
        asked_by: the person who asked for it to go on; None where it goes on by itself.
    """

    id: str
    pipeline_id: str
    pipeline: str
    commit: str
    branch: str | None
    message: str
    author: str
    status: Status
    at_stage: str
    attempt: int
    created_at: datetime
    updated_at: datetime
    ci: str | None = None
    slug_id: str | None = None
    source_app_id: str | None = None
    source_release_id: str | None = None
    reason: str | None = None
    recheck_at: datetime | None = None
    news: int = 0
    asked_by: str | None = None

    @property
    def leg_id(self) -> str:
        """The durable leg's id; starting it twice is starting it once."""
        return f"{self.id}/{self.at_stage}/{self.attempt}"

    @property
    def move(self) -> str:
        """The id of its move into the stage; a leg that is tried again carries the same move on."""
        return f"{self.id}/{self.at_stage}"

    @property
    def soaks(self) -> bool:
        """Whether one of its waves soaks before the next one: it is on its way, and nothing is under way."""
        return self.status is Status.RUNNING and self.recheck_at is not None

    @property
    def short(self) -> str:
        """The commit as Heroku shows it."""
        return self.commit[:8]


def delivery_id(now: datetime, chance: str) -> str:
    """Return an id that sorts by time (UTC), to a 4,096th of a second; `chance` tells those of one instant apart."""
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 4096 // 1_000_000:03x}{chance}"
