"""Delivery or deployment: who presses the last button."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mode(StrEnum):
    """In delivery a person approves production; in deployment it goes there by itself."""

    DELIVERY = "delivery"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class ModeChange:
    """One throw of the switch. `by` is None for the value herodeploy.yml starts with."""

    pipeline_id: str
    mode: Mode
    by: str | None
    at: datetime | None
    why: str | None
