"""Changes, and the test runs and review apps that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

TestStatus = Literal[
    "pending", "cancelled", "creating", "building", "running", "succeeded", "failed", "errored", "debugging"
]
ReviewStatus = Literal["pending", "creating", "created", "errored", "deleting", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """A commit with its branch.

    Parameters:
        commit: the full hash.
        branch: the branch it was taken from; None on a detached HEAD.
    """

    commit: str
    branch: str | None
    message: str
    author: str

    @property
    def short(self) -> str:
        """The first eight characters, as Heroku shows commits."""
        return self.commit[:8]


@dataclass(frozen=True, slots=True)
class TestRun:
    """One run of Heroku CI."""

    __test__ = False

    id: str
    number: int
    pipeline_id: str
    status: TestStatus
    commit: str
    branch: str
    message: str | None
    created_at: datetime

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ("succeeded", "failed", "errored", "cancelled")


@dataclass(frozen=True, slots=True)
class TestNode:
    """One of the parallel dynos of a test run."""

    __test__ = False

    id: str
    index: int
    status: TestStatus
    exit_code: int | None
    setup_stream_url: str | None
    output_stream_url: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class ReviewApp:
    """The ephemeral app of a branch or pull request."""

    id: str
    pipeline_id: str
    branch: str
    status: ReviewStatus
    app_id: str | None
    app_setup_id: str | None
    message: str | None
    pr_number: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AppSetup:
    """An app being made from an app.json."""

    id: str
    app_id: str
    app_name: str
    status: Literal["pending", "succeeded", "failed"]
    failure_message: str | None
    manifest_errors: tuple[str, ...]
    build_id: str | None
    build_output_stream_url: str | None
    postdeploy_output: str | None
    postdeploy_exit_code: int | None
