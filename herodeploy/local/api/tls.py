"""TLS on request: whoever wants to speak it learns which certificate to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.tls.certificates import TlsUnavailable
from herodeploy.local.wire.errors import ApiError

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint."""
    return [routing.route(platform, "POST", "/_local/tls", speak)]


async def speak(platform: Platform, request: Request) -> Any:  # noqa: ARG001
    """POST /_local/tls: speak it from now on."""
    try:
        return {"authority": str(await platform.doors.open())}
    except TlsUnavailable as problem:
        raise ApiError(501, "not_implemented", str(problem)) from None
