"""What the hook of a git push calls; the secret in the address is good once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.git import pushes
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint of hooks."""
    return [routing.route(platform, "POST", "/_local/pushes/{secret}", carry_out)]


async def carry_out(platform: Platform, request: Request) -> StreamingResponse:
    """POST /_local/pushes/:secret: build what is pushed; the answer is the text that whoever pushes reads."""
    values = await routing.body(request)
    app = platform.state.apps.get(platform.pushes.take(request.path_params["secret"]))
    if app is None:
        raise not_found("push")
    updates = [_update(row) for row in values.get("updates") or []]
    told = pushes.carry_out(platform, app, updates, routing.text(values, "quarantine"))
    return StreamingResponse(told, 200, reply.standard_headers(), "text/plain; charset=utf-8")


def _update(row: Any) -> pushes.Update:
    if not isinstance(row, list) or len(row) != 3 or not all(isinstance(part, str) for part in row):
        raise invalid("An update is an old commit, a new commit and a ref.")
    return pushes.Update(*row)
