"""Builds: start, follow, cancel, and empty the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, buildpacks, find, routing
from herodeploy.local.lifecycle import builds as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "started_at", "created_at")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of builds."""
    return [
        routing.route(platform, "GET", "/apps/{app}/builds", index),
        routing.route(platform, "POST", "/apps/{app}/builds", create),
        routing.route(platform, "GET", "/apps/{app}/builds/{build}", show),
        routing.route(platform, "DELETE", "/apps/{app}/builds/{build}", cancel),
        routing.route(platform, "DELETE", "/apps/{app}/build-cache", purge),
    ]


def render(platform: Platform, build: records.Build) -> dict[str, Any]:
    """Return a build's JSON."""
    return {
        "app": {"id": build.app_id},
        "buildpacks": [buildpacks.render(name) for name in build.buildpacks] or None,
        "created_at": build.created_at,
        "generation": "cedar",
        "id": build.id,
        "output_stream_url": platform.streams.url(build.stream_id),
        "release": {"id": build.release_id} if build.release_id else None,
        "slug": {"id": build.slug_id} if build.slug_id else None,
        "source_blob": {
            "checksum": build.checksum,
            "url": build.source_url,
            "version": build.version,
            "version_description": build.version_description,
        },
        "stack": build.stack,
        "status": build.status,
        "updated_at": build.updated_at,
        "user": account.user(),
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/builds."""
    app = find.path_app(platform, request)
    return ranges.page(request, platform.state.builds.where(app_id=app.id), lambda row: render(platform, row), KEYS)


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/builds/:build."""
    return render(platform, _path_build(platform, request))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/builds."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    blob = routing.section(values, "source_blob")
    build = await life.create_build(
        platform,
        app,
        source_url=routing.needed(blob, "url"),
        version=routing.text(blob, "version") or None,
        version_description=routing.text(blob, "version_description"),
        checksum=routing.text(blob, "checksum"),
        buildpacks=buildpacks.parse(values.get("buildpacks")),
    )
    return reply.created(render(platform, build))


async def cancel(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/builds/:build: stop it; a finished one stays as it is."""
    build = _path_build(platform, request)
    await life.cancel_build(platform, build)
    return render(platform, build)


async def purge(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/build-cache."""
    await life.purge_cache(platform, find.path_app(platform, request))
    return {}


def _path_build(platform: Platform, request: Request) -> records.Build:
    app = find.path_app(platform, request)
    build = platform.state.builds.get(request.path_params["build"])
    if build is None or build.app_id != app.id:
        raise not_found("build")
    return build
