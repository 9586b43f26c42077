"""Apps: create, look at, rename, put into maintenance, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.lifecycle import apps as life
from herodeploy.local.wire import ranges, reply

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "name", "updated_at")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of apps."""
    return [
        routing.route(platform, "GET", "/apps", index),
        routing.route(platform, "GET", "/users/{user}/apps", index),
        routing.route(platform, "POST", "/apps", create),
        routing.route(platform, "GET", "/apps/{app}", show),
        routing.route(platform, "PATCH", "/apps/{app}", update),
        routing.route(platform, "DELETE", "/apps/{app}", destroy),
    ]


def render(platform: Platform, app: records.App) -> dict[str, Any]:
    """Return an app's JSON."""
    return {
        "acm": False,
        "archived_at": None,
        "buildpack_provided_description": _description(platform, app),
        "build_stack": account.stack(app.build_stack or app.stack),
        "created_at": app.created_at,
        "generation": account.CEDAR,
        "git_url": f"{platform.base_url}/{app.name}.git",
        "id": app.id,
        "internal_routing": None,
        "maintenance": app.maintenance,
        "name": app.name,
        "owner": account.user(),
        "organization": None,
        "team": None,
        "region": account.region(app.region),
        "released_at": app.released_at,
        "repo_size": None,
        "slug_size": app.slug_size,
        "space": None,
        "stack": account.stack(app.stack),
        "updated_at": app.updated_at,
        "web_url": platform.web_url(app),
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps."""
    listed = [app for app in platform.state.apps if not app.hidden]
    return ranges.page(request, listed, lambda app: render(platform, app), KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps."""
    values = await routing.body(request)
    app = await life.create_app(
        platform,
        name=routing.text(values, "name"),
        stack=routing.identity(values.get("stack")) or None,
        region=routing.identity(values.get("region")) or None,
    )
    return reply.created(render(platform, app))


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app."""
    return render(platform, find.path_app(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    await life.update_app(
        platform,
        app,
        name=routing.text(values, "name"),
        maintenance=routing.flag(values, "maintenance", app.maintenance),
        stack=routing.identity(values.get("build_stack")) or None,
    )
    return render(platform, app)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app."""
    app = find.path_app(platform, request)
    body = render(platform, app)
    await life.destroy_app(platform, app)
    return body


def _description(platform: Platform, app: records.App) -> str | None:
    current = platform.current_release(app)
    slug = platform.state.slugs.get(current.slug_id) if current else None
    return slug.buildpack if slug else None
