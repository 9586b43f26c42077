"""What a stage's apps had before a leg acts: whatever is newer and ours, the leg made.

Heroku has no idempotency keys. The baseline is recorded once, before the first attempt; each later attempt and
each recovery compares against it before it POSTs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.release import Release
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side

Baseline = dict[str, Any]
"""Of one app: ``app_id``, ``web_url``, ``newest`` (release version), and of the current release ``release_id``,
``version`` and ``slug_id``; ``builds`` lists the ids of the builds it had."""

RECENT = 20
FEW = 2


def take(services: Services, stage: StageSpec, *, builder: str | None = None) -> dict[str, Baseline]:
    """Return the baseline of each app of a stage.

    Parameters:
        builder: the app that is about to build, whose builds are listed too.

    Raises:
        NotFound: an app of the stage is not on the platform.
    """
    works = {
        name: partial(_of_app, services, app, with_builds=name == builder)
        for name, app in apps(services, stage.apps).items()
    }
    return side_by_side(services, works)


def apps(services: Services, names: Sequence[str]) -> dict[str, App]:
    """Return the apps of those names; many are asked for together.

    Raises:
        NotFound: one is not on the platform.
    """
    found: dict[str, App] = {}
    if len(names) > FEW:
        couplings = services.heroku.couplings.list(services.pipeline().id)
        found = {app.name: app for app in services.heroku.apps.filter([each.app_id for each in couplings])}
    # One that is not in the pipeline may be on the platform all the same.
    return {name: found.get(name) or services.heroku.apps.get(name) for name in names}


def _of_app(services: Services, app: App, *, with_builds: bool) -> Baseline:
    releases = services.heroku.releases.list(app.name, limit=RECENT)
    current = next((release for release in releases if release.current), None)
    current = current or services.heroku.releases.current(app.name)
    return {
        "app_id": app.id,
        "web_url": app.web_url,
        "newest": releases[0].version if releases else 0,
        "release_id": current.id if current else None,
        "version": current.version if current else None,
        "slug_id": current.slug_id if current else None,
        "builds": [build.id for build in services.heroku.builds.list(app.name)] if with_builds else [],
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
            if newer or release.current or release.status == "pending":
                return release
        elif release.status in ("succeeded", "pending"):
            return None
    return None
