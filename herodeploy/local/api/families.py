"""Every resource family of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from herodeploy.local.api import (
    account,
    addon_attachments,
    addon_services,
    addons,
    app_setups,
    apps,
    buildpack_registry,
    buildpacks,
    builds,
    collaborators,
    config_vars,
    couplings,
    domains,
    dyno_sizes,
    dynos,
    features,
    filters,
    formation,
    logs,
    misc,
    oauth,
    pipeline_transfers,
    pipelines,
    postgres,
    pre_authorizations,
    promotions,
    published,
    pushes,
    releases,
    repositories,
    review_apps,
    slugs,
    sources,
    stage_config,
    streams,
    teams,
    testruns,
    tls,
    webhooks,
)
from herodeploy.local.rehearsal import api as control

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FAMILIES = (
    *(pushes, repositories, tls),
    *(account, apps, config_vars, formation, dynos, releases, slugs, sources, builds, buildpacks, logs, streams),
    *(
        features,
        misc,
        pre_authorizations,
        filters,
        pipelines,
        couplings,
        stage_config,
        promotions,
        review_apps,
        app_setups,
        testruns,
    ),
    *(webhooks, domains, collaborators, oauth, dyno_sizes, pipeline_transfers, buildpack_registry, teams),
    *(addon_services, addons, addon_attachments, postgres),
)


def coverage() -> str:
    """Return the table of what is served of Heroku's API, for the manual."""
    nobody: Any = None  # the paths are the same for every platform
    return published.coverage(served(nobody))


def served(platform: Platform) -> list[Route]:
    """Return the endpoints of Heroku's API that this platform serves, and its own outside the control API."""
    return [route for family in FAMILIES for route in family.routes(platform)]


def routes(platform: Platform) -> list[Route]:
    """Return every endpoint: those that are served, the control API's, and a clear no for Heroku's others."""
    ours = served(platform)
    return [*ours, *control.routes(platform), *published.unserved(platform, ours)]
