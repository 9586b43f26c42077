"""What a stage's apps had before a leg acts: whatever is newer and ours, the leg made.

Heroku has no idempotency keys. The baseline is recorded once, before the first attempt; each later attempt and
each recovery compares against it before it POSTs.
"""

from __future__ import annotations

from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.flows.services import Services

Baseline = dict[str, Any]
"""Of one app: ``app_id``, ``newest`` (release version), and of the current release ``release_id``, ``version`` and
``slug_id``; ``builds`` lists the ids of the builds it had."""

RECENT = 20


def take(services: Services, stage: StageSpec, *, builder: str | None = None) -> dict[str, Baseline]:
    """Return the baseline of each app of a stage.

    Parameters:
        builder: the app that is about to build, whose builds are listed too.

    Raises:
        NotFound: an app of the stage is not on the platform.
    """
    return {app: _of_app(services, app, with_builds=app == builder) for app in stage.apps}


def _of_app(services: Services, app: str, *, with_builds: bool) -> Baseline:
    app_id = services.heroku.apps.get(app).id
    releases = services.heroku.releases.list(app, limit=RECENT)
    current = next((release for release in releases if release.current), None)
    current = current or services.heroku.releases.current(app)
    return {
        "app_id": app_id,
        "newest": releases[0].version if releases else 0,
        "release_id": current.id if current else None,
        "version": current.version if current else None,
        "slug_id": current.slug_id if current else None,
        "builds": [build.id for build in services.heroku.builds.list(app)] if with_builds else [],
    }


def release_there(releases: list[Release], slug_id: str, baseline: Baseline, attempt: int) -> Release | None:
    """Return the release that already put `slug_id` into an app, if one did.

    Parameters:
        releases: the app's, newest first.
        attempt: a release that failed in an earlier attempt may have failed because the platform went away;
            the first attempt takes its answer, a later one tries again.
    """
    for release in releases:
        newer = release.version > baseline["newest"]
        if release.slug_id == slug_id:
            if release.status == "failed":
                if newer and attempt == 1:
                    return release
                continue
            if newer or release.current:
                return release
        elif release.status in ("succeeded", "pending"):
            return None
    return None
