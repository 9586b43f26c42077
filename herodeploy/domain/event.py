"""The append-only audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the audit log.

    Parameters:
        kind: a dotted name such as ``delivery.created`` or ``promotion.succeeded``.
        text: a sentence for people.
        data: plain JSON values, no secrets.
    """

    at: datetime
    pipeline_id: str
    kind: str
    actor: str
    text: str
    delivery_id: str | None = None
    stage: str | None = None
    data: Mapping[str, object] = field(default_factory=dict)
