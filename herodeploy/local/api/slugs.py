"""Slugs: look at one, or bring your own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of slugs."""
    return [
        routing.route(platform, "POST", "/apps/{app}/slugs", create),
        routing.route(platform, "GET", "/apps/{app}/slugs/{slug}", show),
    ]


def render(platform: Platform, slug: records.Slug, method: str = "get") -> dict[str, Any]:
    """Return a slug's JSON; method ``put`` tells where to upload it."""
    return {
        "blob": {"method": method, "url": f"{platform.base_url}/blobs/slugs/{slug.id}"},
        "buildpack_provided_description": slug.buildpack,
        "checksum": slug.checksum,
        "commit": slug.commit,
        "commit_description": slug.commit_description,
        "created_at": slug.created_at,
        "deleted_at": None,
        "id": slug.id,
        "process_types": slug.process_types,
        "size": slug.size,
        "stack": account.stack(slug.stack),
        "updated_at": slug.updated_at,
    }


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/slugs/:slug."""
    find.path_app(platform, request)
    return render(platform, find.slug(platform, request.path_params["slug"]))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/slugs; its blob is PUT afterwards."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    types = routing.section(values, "process_types")
    if "process_types" not in values or not all(isinstance(command, str) for command in types.values()):
        raise invalid("process_types must be an object of process types and their commands.")
    now = platform.now()
    slug = records.Slug(
        id=str(uuid.uuid4()),
        app_id=app.id,
        created_at=now,
        updated_at=now,
        commit=routing.text(values, "commit"),
        commit_description=routing.text(values, "commit_description"),
        checksum=routing.text(values, "checksum"),
        process_types=types,
        buildpack=routing.text(values, "buildpack_provided_description"),
        stack=app.stack,
    )
    platform.state.slugs.put(slug)
    return reply.created(render(platform, slug, "put"))
