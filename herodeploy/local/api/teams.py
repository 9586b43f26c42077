"""Teams: a local platform has none, and says so in Heroku's words."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of teams that clients ask on their way."""
    return [
        routing.route(platform, "GET", "/teams", index),
        routing.route(platform, "GET", "/teams/{team}", show),
        routing.route(platform, "POST", "/teams/apps", create_app),
    ]


async def index(platform: Platform, request: Request) -> Any:
    """GET /teams."""
    return ranges.page_of(request, [])


async def show(platform: Platform, request: Request) -> Any:
    """GET /teams/:team."""
    raise not_found("team")


async def create_app(platform: Platform, request: Request) -> Any:
    """POST /teams/apps: an app of a team, or in a space."""
    values = await routing.body(request)
    raise not_found("space" if values.get("space") else "team")
