"""Filters: many apps by their ids in one request, never in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import apps, routing
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint of filters."""
    return [routing.route(platform, "POST", "/filters/apps", filter_apps)]


async def filter_apps(platform: Platform, request: Request) -> Any:
    """POST /filters/apps; ids that no app has are left out."""
    wanted = routing.section(await routing.body(request), "in").get("id")
    if not isinstance(wanted, list) or not all(isinstance(key, str) for key in wanted):
        raise invalid("in.id must be a list of app ids.")
    found = (platform.state.apps.get(key) for key in dict.fromkeys(wanted))
    return [apps.render(platform, app) | {"joined": True, "locked": False} for app in found if app is not None]
