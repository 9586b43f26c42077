"""What a move into a stage came to in each app."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from herodeploy.domain.snapshot import plain

TargetState = Literal["pending", "released", "succeeded", "failed", "put back", "skipped"]


@dataclass(frozen=True, slots=True)
class Target:
    """One app of one move.

    Parameters:
        move: tells moves apart: `Delivery.move`, or a name of its own for what a person does by hand.
        delivery_id: None for what a person does by hand.
        wave: which one it is in, counted from 1; 0 is the app that builds.
        status: ``pending`` until its release is there; ``released`` until it is verified, then ``succeeded``;
            ``failed``; ``put back`` where the previous release was; ``skipped`` where an earlier wave failed.
        version: of the release that it got.
        error: why it failed.
        output: the release phase's, its last 64 KiB.
    """

    at: datetime
    pipeline_id: str
    stage: str
    move: str
    delivery_id: str | None
    wave: int
    app: str
    status: TargetState = "pending"
    slug_id: str | None = None
    release_id: str | None = None
    version: int | None = None
    error: str | None = None
    output: str = ""

    @property
    def good(self) -> bool:
        """Whether the app has the artifact, verified."""
        return self.status == "succeeded"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dict(plain(asdict(self)))
