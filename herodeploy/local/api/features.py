"""Features that can be switched on: of an app, and of the account."""

# every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


class Feature(NamedTuple):
    """Something that can be switched on.

    Parameters:
        state: ``general`` ones are the Heroku CLI's ``features``, all others its ``labs``.
    """

    description: str
    state: str = "public"
    enabled: bool = False


OF_APPS = {
    "http-session-affinity": Feature("Kept for the app; the local router always chooses at random.", "general"),
    "preboot": Feature("Web dynos of the release before go on until the new ones have started.", "general"),
    "runtime-dyno-metadata": Feature("Dyno metadata as environment variables, from the next start of a dyno on."),
}
OF_ACCOUNT = {
    # Without it the Heroku CLI asks a host outside of the API for the repository of a pipeline.
    "dashboard-repositories-api": Feature("Repositories of pipelines through the API.", enabled=True),
}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of features."""
    return [
        routing.route(platform, "GET", "/apps/{app}/features", index),
        routing.route(platform, "GET", "/apps/{app}/features/{feature}", show),
        routing.route(platform, "PATCH", "/apps/{app}/features/{feature}", update),
        routing.route(platform, "GET", "/account/features", account_index),
        routing.route(platform, "GET", "/account/features/{feature}", account_show),
        routing.route(platform, "PATCH", "/account/features/{feature}", account_update),
    ]


async def index(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/features."""
    app = find.path_app(platform, request)
    rows = [_render(name, feature, name in app.features) for name, feature in OF_APPS.items()]
    return ranges.page_of(request, rows, account.NAMED)


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/features/:feature."""
    app = find.path_app(platform, request)
    name = _known(request, OF_APPS)
    return _render(name, OF_APPS[name], name in app.features)


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/features/:feature."""
    app = find.path_app(platform, request)
    name = _known(request, OF_APPS)
    enabled = await _wanted(request)
    app.features = sorted({*app.features, name} if enabled else {*app.features} - {name})
    app.updated_at = platform.now()
    platform.state.apps.put(app)
    return _render(name, OF_APPS[name], enabled)


async def account_index(platform: Platform, request: Request) -> Any:
    """GET /account/features."""
    switched = _account(platform).features
    rows = [_render(name, feature, switched.get(name, feature.enabled)) for name, feature in OF_ACCOUNT.items()]
    return ranges.page_of(request, rows, account.NAMED)


async def account_show(platform: Platform, request: Request) -> Any:
    """GET /account/features/:feature."""
    name = _known(request, OF_ACCOUNT)
    return _render(name, OF_ACCOUNT[name], _account(platform).features.get(name, OF_ACCOUNT[name].enabled))


async def account_update(platform: Platform, request: Request) -> Any:
    """PATCH /account/features/:feature."""
    name = _known(request, OF_ACCOUNT)
    enabled = await _wanted(request)
    row = _account(platform)
    row.features = {**row.features, name: enabled}
    platform.state.accounts.put(row)
    return _render(name, OF_ACCOUNT[name], enabled)


def _account(platform: Platform) -> records.Account:
    key = account.user()["id"]
    return platform.state.accounts.get(key) or records.Account(id=key)


async def _wanted(request: Request) -> bool:
    values = await routing.body(request)
    if "enabled" not in values:
        raise invalid("enabled is required.")
    return routing.flag(values, "enabled")


def _known(request: Request, features: dict[str, Feature]) -> str:
    wanted = request.path_params["feature"]
    for name in features:
        if wanted in (name, account.fixed_id(f"feature:{name}")):
            return name
    raise not_found("feature")


def _render(name: str, feature: Feature, enabled: bool) -> dict[str, Any]:
    return {
        "created_at": account.EPOCH,
        "description": feature.description,
        "display_name": name,
        "doc_url": f"https://devcenter.heroku.com/articles/{name}",
        "enabled": enabled,
        "feedback_email": account.EMAIL,
        "id": account.fixed_id(f"feature:{name}"),
        "name": name,
        "state": feature.state,
        "updated_at": account.EPOCH,
    }
