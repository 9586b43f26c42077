"""Repositories of pipelines, as the newer part of the API shows them (Accept ``3.repositories-api``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import pipelines, routing
from herodeploy.local.git import connections
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of repositories."""
    return [
        routing.route(platform, "GET", "/pipelines/{pipeline}/repo", show),
        routing.route(platform, "GET", "/pipelines/{pipeline}/repo/branches/{branch:path}", branch),
    ]


async def show(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/repo."""
    name = connections.full_name(pipelines.path_pipeline(platform, request))
    return {"id": connections.number(name), "full_name": name}


async def branch(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/repo/branches/:branch."""
    pipeline = pipelines.path_pipeline(platform, request)
    found = await connections.find_branch(platform, pipeline, request.path_params["branch"])
    if found is None:
        raise not_found("branch")
    return {"name": found.name, "commit": {"sha": found.commit}}
