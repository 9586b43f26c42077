"""Pre-authorizations: a second factor that was given for an app, so that what follows is not asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import find, routing
from herodeploy.local.rehearsal.faults import CODE
from herodeploy.local.wire.errors import ApiError

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint; Heroku's schema lacks it, its CLI calls it."""
    return [routing.route(platform, "PUT", "/apps/{app}/pre-authorizations", authorize)]


async def authorize(platform: Platform, request: Request) -> Any:
    """PUT /apps/:app/pre-authorizations, with the code as ``Heroku-Two-Factor-Code``."""
    app = find.path_app(platform, request)
    if request.headers.get("Heroku-Two-Factor-Code") != CODE:
        raise ApiError(403, "two_factor", "Invalid two-factor code.")
    platform.faults.authorize(app.id)
    return {}
