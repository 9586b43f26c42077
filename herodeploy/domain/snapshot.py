"""Where everything stands, as `herodeploy status` shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Verdict
from herodeploy.domain.lock import Hold, Lock
from herodeploy.domain.mode import ModeChange


@dataclass(frozen=True, slots=True)
class AppView:
    """An app and what runs in it.

    Parameters:
        exists: whether the platform has it.
        version: of the current release; `newest_version` and `newest_status` are the newest one's, which may have
            failed or be on its way.
        dynos: how many there are in each state.
        verified: whether herodeploy has verified this very artifact in this app, and it has failed nowhere in this
            stage since.
    """

    name: str
    exists: bool
    url: str | None = None
    version: int | None = None
    description: str | None = None
    released_at: datetime | None = None
    slug_id: str | None = None
    commit: str | None = None
    newest_version: int | None = None
    newest_status: str | None = None
    dynos: Mapping[str, int] | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage, its apps, the delivery that is at work in it, and what keeps changes out.

    Parameters:
        locks: those in force that mean this stage, wider ones among them.
    """

    name: str
    kind: str
    apps: tuple[AppView, ...]
    held_by: str | None = None
    locks: tuple[Lock, ...] = ()
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A delivery and what it waits for."""

    delivery: Delivery
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A review app in short."""

    branch: str
    app: str | None
    status: str


@dataclass(frozen=True, slots=True)
class PipelineSnapshot:
    """The whole pipeline at one moment; `deliveries` are the newest first."""

    pipeline: str
    pipeline_id: str
    platform: str
    mode: ModeChange
    stages: tuple[StageView, ...]
    deliveries: tuple[DeliveryView, ...]
    review_apps: tuple[ReviewLine, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        value = plain(asdict(self))
        value["deliveries"] = [
            {**each["delivery"], "waits_for": [verdict for verdict in each["verdicts"] if verdict["answer"] == "WAIT"]}
            | {"verdicts": each["verdicts"]}
            for each in value["deliveries"]
        ]
        return dict(value)


def plain(value: Any) -> Any:
    """Return `value` with times as ISO 8601 text and enumerations as their text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, str):
        return str(value)
    return value
