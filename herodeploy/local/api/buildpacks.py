"""Buildpack installations: which buildpacks an app's builds use, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import find, routing
from herodeploy.local.build import catalog
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of buildpack installations."""
    return [
        routing.route(platform, "GET", "/apps/{app}/buildpack-installations", index),
        routing.route(platform, "PUT", "/apps/{app}/buildpack-installations", replace),
    ]


def render(buildpack: str) -> dict[str, str]:
    """Return the short form of a buildpack: its address, and its name, which the registry knows it by."""
    return {"url": buildpack, "name": catalog.built_in(buildpack) or buildpack}


def parse(value: Any) -> list[str]:
    """Return buildpacks out of ``[{"url": ...} or {"name": ...} or {"buildpack": ...}]``.

    Raises:
        ApiError: 422, something else.
    """
    if value is None:
        return []
    entries = value if isinstance(value, list) else [None]
    found = [e if isinstance(e, str) else _named(e) if isinstance(e, dict) else "" for e in entries]
    if not all(found):
        raise invalid("Buildpacks must be a list of objects that each name a buildpack.")
    return found


async def index(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/buildpack-installations."""
    return _installed(find.path_app(platform, request).buildpacks)


async def replace(platform: Platform, request: Request) -> Any:
    """PUT /apps/:app/buildpack-installations; the next build uses them."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    if "updates" not in values:
        raise invalid("updates is required.")
    app.buildpacks = parse(values["updates"])
    app.updated_at = platform.now()
    platform.state.apps.put(app)
    return _installed(app.buildpacks)


def _installed(buildpacks: list[str]) -> list[dict[str, Any]]:
    return [{"ordinal": number, "buildpack": render(name)} for number, name in enumerate(buildpacks)]


def _named(entry: dict[str, Any]) -> str:
    value = entry.get("buildpack") or entry.get("url") or entry.get("name")
    return routing.identity(value) or (routing.identity(value.get("url")) if isinstance(value, dict) else "")
