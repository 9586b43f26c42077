"""Features that can be switched on: of an app, and of the account."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import account, find, routing
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

OF_APPS = {"runtime-dyno-metadata": "Dyno metadata as environment variables, from the next start of a dyno on."}
OF_ACCOUNT = {
    # Without it the Heroku CLI asks a host outside of the API that no local platform can stand in for.
    "dashboard-repositories-api": "Repositories of pipelines through the API."
}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of features."""
    return [
        routing.route(platform, "GET", "/apps/{app}/features", index),
        routing.route(platform, "GET", "/apps/{app}/features/{feature}", show),
        routing.route(platform, "PATCH", "/apps/{app}/features/{feature}", update),
        routing.route(platform, "GET", "/account/features", account_index),
        routing.route(platform, "GET", "/account/features/{feature}", account_show),
    ]


async def index(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/features."""
    app = find.path_app(platform, request)
    return [_render(name, text, name in app.features) for name, text in OF_APPS.items()]


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/features/:feature."""
    app = find.path_app(platform, request)
    name = _known(request, OF_APPS)
    return _render(name, OF_APPS[name], name in app.features)


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/features/:feature."""
    app = find.path_app(platform, request)
    name = _known(request, OF_APPS)
    values = await routing.body(request)
    if "enabled" not in values:
        raise invalid("enabled is required.")
    enabled = routing.flag(values, "enabled")
    app.features = sorted({*app.features, name} if enabled else {*app.features} - {name})
    app.updated_at = platform.now()
    platform.state.apps.put(app)
    return _render(name, OF_APPS[name], enabled)


async def account_index(platform: Platform, request: Request) -> Any:
    """GET /account/features."""
    return [_render(name, text, True) for name, text in OF_ACCOUNT.items()]


async def account_show(platform: Platform, request: Request) -> Any:
    """GET /account/features/:feature."""
    name = _known(request, OF_ACCOUNT)
    return _render(name, OF_ACCOUNT[name], True)


def _known(request: Request, features: dict[str, str]) -> str:
    wanted = request.path_params["feature"]
    for name in features:
        if wanted in (name, account.fixed_id(f"feature:{name}")):
            return name
    raise not_found("feature")


def _render(name: str, text: str, enabled: bool) -> dict[str, Any]:
    return {
        "created_at": account.EPOCH,
        "description": text,
        "display_name": name,
        "doc_url": f"https://devcenter.heroku.com/articles/{name}",
        "enabled": enabled,
        "feedback_email": account.EMAIL,
        "id": account.fixed_id(f"feature:{name}"),
        "name": name,
        "state": "general",
        "updated_at": account.EPOCH,
    }
