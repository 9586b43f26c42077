"""What passed verification in which stage, for the gates of the stage after: the newest answer counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from herodeploy.domain.pipeline import StageSpec
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side
from herodeploy.flows.verify import Subject, verify


def subject(services: Services, app: str, web_url: str | None, release: Mapping[str, Any]) -> Subject:
    """Return what is verified: an app's release, of which ``version`` and ``slug_id`` are known.

    Parameters:
        web_url: as it was when the move began.
    """
    return Subject(app, services.heroku.web_url_now(web_url), release["version"], release["slug_id"])


def verify_in(services: Services, stage: StageSpec, subjects: Sequence[Subject]) -> dict[str, str | None]:
    """Verify releases of several apps at the same time as their stage asks.

    A failure takes back what the artifact has passed in this stage before.

    Returns:
        of each app None, or the reason why its release does not run.
    """
    works = {each.app: partial(verify, services, each, stage.verify, leg=stage.name) for each in subjects}
    reasons = side_by_side(services, works)
    for slug_id in {each.slug_id for each in subjects if reasons[each.app] is not None and each.slug_id is not None}:
        services.store.forget_verified(services.pipeline().id, stage.name, slug_id)
    return reasons


def record_verified(
    services: Services, stage: str, outcome: dict[str, Any], commit: str, delivery_id: str | None
) -> None:
    """Record each release of a succeeded leg as verified."""
    at = services.clock()
    for app, release in outcome["releases"].items():
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
            app,
        )


def record_put_back(services: Services, stage: str, settled: Mapping[str, Mapping[str, Any]]) -> None:
    """Record the rollbacks that run as verified, but for an artifact that does not run in another app of the stage.

    Parameters:
        settled: of each app the rollback's release: ``id``, ``app_id``, ``version``, ``slug_id``, and the ``reason``
            why it does not run, if any.
    """
    at = services.clock()
    bad = {got["slug_id"] for got in settled.values() if got["reason"]}
    for app, release in settled.items():
        if release["slug_id"] is not None and release["slug_id"] not in bad:
            services.store.record_verified(
                services.pipeline().id,
                stage,
                release["app_id"],
                release["id"],
                release["version"],
                release["slug_id"],
                None,
                None,
                at,
                app,
            )
