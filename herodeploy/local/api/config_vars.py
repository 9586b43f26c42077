"""Config vars: every change is a release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, routing
from herodeploy.local.lifecycle import attachments, releases
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

_KEY = re.compile(r"\w+", re.ASCII)


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of config vars."""
    return [
        routing.route(platform, "GET", "/apps/{app}/config-vars", show),
        routing.route(platform, "PATCH", "/apps/{app}/config-vars", update),
    ]


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/config-vars."""
    return dict(find.path_app(platform, request).config)


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/config-vars; null removes, and a change of nothing releases nothing."""
    app = find.path_app(platform, request)
    values = checked(await routing.body(request))
    wanted = merged(app.config, values)
    if wanted != app.config:
        attachments.protect(platform, app, wanted)
        current = platform.current_release(app)
        await releases.release(
            platform,
            app,
            slug_id=current.slug_id if current else None,
            config=wanted,
            description=_describe(app, values),
            keep_code=True,
        )
    return dict(app.config)


def checked(values: dict[str, Any]) -> dict[str, str | None]:
    """Return config vars out of a body.

    Raises:
        ApiError: 422, a key or a value that cannot be one; it names the key, never the value.
    """
    for key, value in values.items():
        if not _KEY.fullmatch(key) or key.startswith("__"):
            raise invalid(f"Config var {key!r} may hold letters, digits and underscores only, and not begin with `__`.")
        if value is not None and not isinstance(value, str):
            raise invalid(f"The value of config var {key} must be a string, or null to remove it.")
        if value is not None and "\0" in value:
            raise invalid(f"The value of config var {key} must not contain a NUL character.")
    return values


def merged(config: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """Return config vars with changes made; None removes."""
    both = {**config, **changes}
    return {key: value for key, value in both.items() if value is not None}


def _describe(app: records.App, values: dict[str, str | None]) -> str:
    names_set = [key for key, value in values.items() if value is not None and app.config.get(key) != value]
    removed = [key for key, value in values.items() if value is None and key in app.config]
    parts = [f"Set {', '.join(names_set)}"] if names_set else []
    if removed:
        parts.append(f"{'remove' if parts else 'Remove'} {', '.join(removed)}")
    return f"{' and '.join(parts)} config vars"
