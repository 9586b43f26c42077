"""Every resource family of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from herodeploy.local.api import (
    account,
    app_setups,
    apps,
    buildpacks,
    builds,
    config_vars,
    couplings,
    dynos,
    features,
    filters,
    formation,
    logs,
    misc,
    pipelines,
    promotions,
    releases,
    review_apps,
    slugs,
    sources,
    stage_config,
    streams,
    testruns,
    webhooks,
)

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FAMILIES = (
    *(account, apps, config_vars, formation, dynos, releases, slugs, sources, builds, buildpacks, logs, streams),
    *(features, misc, filters, pipelines, couplings, stage_config, promotions, review_apps, app_setups, testruns),
    webhooks,
)


def routes(platform: Platform) -> list[Route]:
    """Return every endpoint."""
    return [route for family in FAMILIES for route in family.routes(platform)]
