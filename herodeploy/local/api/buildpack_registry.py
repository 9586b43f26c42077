"""What the Heroku CLI asks the buildpack registry, for the buildpacks that are built in here.

On Heroku it is a host of its own; HEROKU_BUILDPACK_REGISTRY_URL points the CLI here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import account, routing
from herodeploy.local.build import catalog
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of the registry."""
    return [
        routing.route(platform, "GET", "/buildpacks", search),
        routing.route(platform, "GET", "/buildpacks/{namespace}/{name}", show),
    ]


def render(buildpack: str) -> dict[str, Any]:
    """Return the registry's JSON of a built-in buildpack; blob_url is what the CLI writes into an app."""
    namespace, _, name = buildpack.partition("/")
    return {
        "blob_url": f"https://buildpack-registry.s3.amazonaws.com/buildpacks/{buildpack}.tgz",
        "category": "languages",
        "description": f"{buildpack}, built into the local platform",
        "id": account.fixed_id(f"buildpack:{buildpack}"),
        "name": name,
        "namespace": namespace,
        "two_factor_authentication": False,
    }


async def search(platform: Platform, request: Request) -> Any:  # noqa: ARG001
    """GET /buildpacks; ``in[namespace][]``, ``in[name][]`` and ``like[description]`` keep some."""
    rows = [render(name) for name in catalog.BUILT_IN]
    for key in ("namespace", "name"):
        wanted = request.query_params.getlist(f"in[{key}][]")
        rows = [row for row in rows if not wanted or row[key] in wanted]
    text = request.query_params.get("like[description]", "")
    return [row for row in rows if text in row["description"]]


async def show(platform: Platform, request: Request) -> Any:  # noqa: ARG001
    """GET /buildpacks/:namespace/:name."""
    name = f"{request.path_params['namespace']}/{request.path_params['name']}"
    if name not in catalog.BUILT_IN:
        raise not_found("buildpack")
    return render(name)
