"""Builds, slugs, releases, dynos and promotions, as the platform reports them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

BuildStatus = Literal["pending", "succeeded", "failed"]
ReleaseStatus = Literal["pending", "succeeded", "failed", "expired"]
TargetStatus = Literal["pending", "succeeded", "failed"]
DynoState = Literal["crashed", "down", "idle", "starting", "up"]


@dataclass(frozen=True, slots=True)
class Build:
    """Source on its way to a slug.

    Parameters:
        version: ``source_blob.version``, for herodeploy always the full commit.
    """

    id: str
    app_id: str
    status: BuildStatus
    output_stream_url: str | None
    version: str | None
    slug_id: str | None
    release_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Slug:
    """What a build leaves."""

    id: str
    commit: str | None
    process_types: dict[str, str]
    stack: str | None


@dataclass(frozen=True, slots=True)
class Release:
    """A numbered, immutable pair of artifact and config."""

    id: str
    app_id: str
    app_name: str
    version: int
    status: ReleaseStatus
    current: bool
    slug_id: str | None
    description: str
    eligible_for_rollback: bool
    output_stream_url: str | None
    user: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Dyno:
    """One running process."""

    id: str
    name: str
    type: str
    state: DynoState
    release_version: int
    command: str


@dataclass(frozen=True, slots=True)
class Formation:
    """How many dynos of one process type, and of which size."""

    type: str
    quantity: int
    size: str
    command: str


@dataclass(frozen=True, slots=True)
class Promotion:
    """An artifact on its way downstream; `status` never says whether targets succeeded."""

    id: str
    pipeline_id: str
    source_app_id: str
    source_release_id: str | None
    status: Literal["pending", "completed"]


@dataclass(frozen=True, slots=True)
class PromotionTarget:
    """What became of a promotion in one app."""

    id: str
    app_id: str
    release_id: str | None
    status: TargetStatus
    error_message: str | None
