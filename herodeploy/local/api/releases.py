"""Releases: list, look at, make one of a slug, roll back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.lifecycle import releases as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("version", "id")
"""Heroku sorts by version where nothing is asked, oldest first."""


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of releases."""
    return [
        routing.route(platform, "GET", "/apps/{app}/releases", index),
        routing.route(platform, "POST", "/apps/{app}/releases", create),
        routing.route(platform, "GET", "/apps/{app}/releases/{release}", show),
        routing.route(platform, "GET", "/apps/{app}/releases/{release}/config-vars", config_vars),
    ]


def render(platform: Platform, row: records.Release) -> dict[str, Any]:
    """Return a release's JSON."""
    app = platform.state.apps.get(row.app_id)
    return {
        "addon_plan_names": row.addon_plan_names,
        "app": {"id": row.app_id, "name": app.name if app else ""},
        "artifacts": [{"type": "slug", "id": row.slug_id}] if row.slug_id else [],
        "created_at": row.created_at,
        "current": row.current,
        "description": row.description,
        "eligible_for_rollback": life.is_eligible(row),
        "id": row.id,
        "output_stream_url": platform.streams.url(row.stream_id) if row.stream_id else None,
        "slug": {"id": row.slug_id} if row.slug_id else None,
        "status": row.status,
        "updated_at": row.updated_at,
        "user": account.user(),
        "version": row.version,
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/releases."""
    app = find.path_app(platform, request)
    return ranges.page(request, platform.state.releases.where(app_id=app.id), lambda row: render(platform, row), KEYS)


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/releases/:release."""
    return render(platform, _path_release(platform, request))


async def config_vars(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/releases/:release/config-vars."""
    return dict(_path_release(platform, request).config)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/releases: of a slug, or back to an earlier release."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    if values.get("release") is not None:
        target = find.release(platform, app, str(values["release"]))
        return reply.created(render(platform, await life.rollback(platform, app, target)))
    slug = find.slug(platform, routing.needed({"slug": routing.identity(values.get("slug"))}, "slug"))
    if not (platform.settings.slugs / f"{slug.id}.tgz").exists():
        raise invalid("The slug's blob was never uploaded.")
    row = await life.release(
        platform,
        app,
        slug_id=slug.id,
        config=app.config,
        description=routing.text(values, "description") or "deploy",
    )
    return reply.created(render(platform, row))


def _path_release(platform: Platform, request: Request) -> records.Release:
    app = find.path_app(platform, request)
    return find.release(platform, app, request.path_params["release"])
