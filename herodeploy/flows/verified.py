"""What passed verification in which stage, for the gates of the stage after: the newest answer counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.flows.services import Services
from herodeploy.flows.verify import verify


def verify_in(services: Services, stage: StageSpec, app: str, version: int) -> str | None:
    """Verify release `version` of an app as its stage asks; return None, else the reason why it does not run.

    A failure takes back what the artifact has passed in this stage before.
    """
    reason = verify(services, app, version, stage.verify, leg=stage.name)
    if reason is not None and (slug_id := services.heroku.releases.get(app, str(version)).slug_id) is not None:
        services.store.forget_verified(services.pipeline().id, stage.name, slug_id)
    return reason


def record_verified(
    services: Services, stage: str, outcome: dict[str, Any], commit: str, delivery_id: str | None
) -> None:
    """Record each release of a succeeded leg as verified."""
    at = services.clock()
    for release in outcome["releases"].values():
        services.store.record_verified(
            services.pipeline().id,
            stage,
            release["app_id"],
            release["id"],
            release["version"],
            release["slug_id"] or outcome["slug_id"],
            commit,
            delivery_id,
            at,
        )


def record_put_back(services: Services, stage: str, settled: Mapping[str, Mapping[str, Any]]) -> None:
    """Record the rollbacks that run as verified, but for an artifact that does not run in another app of the stage.

    Parameters:
        settled: of each app the ``version`` of the rollback's release, and the ``reason`` why it does not run, if any.
    """
    at = services.clock()
    releases = {app: services.heroku.releases.get(app, str(got["version"])) for app, got in settled.items()}
    bad = {releases[app].slug_id for app, got in settled.items() if got["reason"]}
    for release in releases.values():
        if release.slug_id is not None and release.slug_id not in bad:
            services.store.record_verified(
                services.pipeline().id,
                stage,
                release.app_id,
                release.id,
                release.version,
                release.slug_id,
                None,
                None,
                at,
            )
