"""What clients ask for on their way: the platform's own status, and resources that no local app has."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import find, routing
from herodeploy.local.wire import ranges

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

EMPTY = ("log-drains", "sni-endpoints")
"""Lists of an app that the Heroku CLI reads by the way; here they are always empty."""


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints."""
    return [
        routing.route(platform, "GET", "/_local/status", status),
        routing.route(platform, "GET", "/_local/apps", local_apps),
        *(routing.route(platform, "GET", f"/apps/{{app}}/{name}", none_of_app) for name in EMPTY),
    ]


async def status(platform: Platform, request: Request) -> Any:
    """GET /_local/status, without a token: who answers here, and whether builds and dynos are isolated."""
    found = platform.isolation
    off = platform.settings.isolation == "off"
    isolation = {"on": found.sandbox is not None, "off": off, "why_not": found.why_not or None}
    return {"platform": "herodeploy-local", "pid": os.getpid(), "isolation": isolation}


async def local_apps(platform: Platform, request: Request) -> Any:
    """GET /_local/apps: where every app can be reached, also without resolving ``*.localhost``."""
    return [
        {"id": app.id, "name": app.name, "web_url": platform.web_url(app), "address": platform.address(app)}
        for app in platform.state.apps
        if not app.hidden
    ]


async def none_of_app(platform: Platform, request: Request) -> Any:
    """Answer with an empty list for an app that is there."""
    find.path_app(platform, request)
    return ranges.page_of(request, [])
