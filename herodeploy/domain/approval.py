"""A person's yes or no for one artifact in one stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """Void for the next artifact: it names the slug it was given for."""

    id: str
    delivery_id: str
    stage: str
    slug_id: str
    by: str
    at: datetime
    approved: bool = True
    comment: str | None = None
