"""Every resource family of the API, in the order in which addresses are matched."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from starlette.routing import Route

from herodeploy.local.api import account, apps

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FAMILIES = (account, apps)
LATER = (
    "config_vars", "formation", "dynos", "releases", "slugs", "sources", "builds", "buildpacks", "logs", "streams", "features",
    "misc", "filters", "pipelines", "couplings", "stage_config", "promotions", "review_apps", "app_setups", "test_runs", "webhooks",
)  # fmt: skip


def routes(platform: Platform) -> list[Route]:
    """Return every endpoint."""
    found = [route for family in FAMILIES for route in family.routes(platform)]
    for name in LATER:
        try:
            module = importlib.import_module(f"herodeploy.local.api.{name}")
        except ModuleNotFoundError:
            continue
        found += module.routes(platform)
    return found
