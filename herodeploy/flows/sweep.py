"""Sweep: review apps that outlived review.ttl, or their branch, are destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from herodeploy.domain.times import utc
from herodeploy.errors import UsageError
from herodeploy.flows.review import ReviewView, destroy_view, list_
from herodeploy.flows.services import Services

AT_REST = ("created", "errored")


@dataclass(frozen=True, slots=True)
class Stale:
    """A review app to sweep, and why."""

    view: ReviewView
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**self.view.to_json(), "why": self.why}


def sweep(services: Services, *, gone: bool = False, dry_run: bool = False) -> list[Stale]:
    """Destroy the review apps that are stale, and return them.

    Parameters:
        gone: those count too whose branch the repository no longer has.
        dry_run: destroy nothing.

    Raises:
        UsageError: nothing is ever stale, as herodeploy.yml has no ``review.ttl`` and `gone` is not given.
    """
    if services.spec.review.ttl is None and not gone:
        raise UsageError(
            "herodeploy.yml has no review.ttl, so no review app is ever too old",
            hint="write it, such as `review: {ttl: 5d}`, or sweep by branches: herodeploy review sweep --gone",
        )
    views = [view for view in list_(services) if view.status in AT_REST]
    stale = [Stale(view, why) for view in views if (why := _why(services, view, gone=gone)) is not None]
    for each in () if dry_run else stale:
        destroy_view(services, each.view, each.why)
    return stale


def _why(services: Services, view: ReviewView, *, gone: bool) -> str | None:
    if gone and not services.repo.has_branch(view.branch):
        return f"branch {view.branch} is gone"
    ttl = services.spec.review.ttl
    if ttl is None or view.created_at is None or services.clock() - view.created_at <= ttl:
        return None
    builds = services.heroku.builds.list(view.app) if view.app is not None else []
    fed = max([view.created_at, *(build.created_at for build in builds)])
    return None if services.clock() - fed <= ttl else f"no new build since {utc(fed)}"
