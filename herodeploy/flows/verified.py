"""Recording what passed verification, for the gates of the stage after."""

from __future__ import annotations

from typing import Any

from herodeploy.flows.services import Services


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
