"""How a resource's file declares its endpoints.

Each file of this package has ``routes(platform) -> list[Route]``, made of `route` calls. A handler is
``async def f(platform, request)``; it returns plain JSON (200), a `reply.Reply`, or a Starlette Response, and raises
`errors.ApiError` to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from herodeploy.local.api import requests
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import bad_request, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

Handler = Callable[["Platform", Request], Awaitable[Any]]


def route(platform: Platform, method: str, path: str, handler: Handler, *, streams: bool = False) -> Route:
    """Declare one endpoint.

    Parameters:
        streams: the handler reads the request as it comes; else all of it is there before the handler looks anything
            up, so that nothing it found can be destroyed while it waits for the rest.
    """

    published = f"{method} {requests.nameless(path)}"

    async def endpoint(request: Request) -> Response:
        if not streams:
            requests.check(published, await request.body())
        return reply.respond(request, await handler(platform, request))

    return Route(path, endpoint, methods=[method], name=f"{method} {path}")


async def body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; no body is an empty object.

    Raises:
        ApiError: 400, no JSON object.
    """
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
        json.dumps(value, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError):
        raise bad_request("The request body is no valid JSON.") from None
    if not isinstance(value, dict):
        raise bad_request("The request body must be a JSON object.")
    return value


def text(values: dict[str, Any], key: str) -> str | None:
    """Return a string out of a body; None where it is missing or null.

    Raises:
        ApiError: 422, something else than a string.
    """
    value = values.get(key)
    if value is None or isinstance(value, str):
        return value
    raise invalid(f"{key} must be a string.")


def needed(values: dict[str, Any], key: str) -> str:
    """Return a string that must be in a body.

    Raises:
        ApiError: 422, missing or no string.
    """
    value = text(values, key)
    if not value:
        raise invalid(f"{key} is required.")
    return value


def section(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Return an object out of a body; empty where it is missing or null.

    Raises:
        ApiError: 422, something else than an object.
    """
    value = values.get(key)
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise invalid(f"{key} must be an object.")


def identity(value: Any) -> str:
    """Return the id or name out of ``"x"``, ``{"id": "x"}`` or ``{"name": "x"}``; empty for anything else."""
    if isinstance(value, dict):
        value = value.get("id") or value.get("name")
    return value if isinstance(value, str) else ""


def flag(values: dict[str, Any], key: str, default: bool = False) -> bool:
    """Return a truth value out of a body; 0 and 1 count, as some clients send them.

    Raises:
        ApiError: 422, something else.
    """
    value = values.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise invalid(f"{key} must be true or false.")
