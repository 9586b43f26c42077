"""Stands before the API: notes each request, and lets go wrong what was ordered to."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from herodeploy.local.rehearsal.faults import FACTOR, REPLIES, Fault
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import ApiError, forbidden, rate_limited

if TYPE_CHECKING:
    from herodeploy.local import records
    from herodeploy.local.platform import Platform

KEPT = 10_000
"""Requests that are remembered, the newest."""
PREFIX = "/_local/"
PROBLEMS = {
    "delinquent": ApiError(402, "delinquent", "This account is delinquent: a fault was ordered."),
    "forbidden": forbidden("You do not have access to this resource: a fault was ordered."),
    "gone": ApiError(410, "gone", "This endpoint is gone: a fault was ordered."),
    "rate-limit": rate_limited(),
    "error": ApiError(500, "internal_server_error", "Something went wrong on purpose."),
}


@dataclass(frozen=True, slots=True)
class Noted:
    """One request that was answered, without any of its values.

    Parameters:
        status: of the reply; 0 when the connection was reset.
        milliseconds: until the reply was complete.
        fault: the kind of the fault that struck it.
    """

    at: str
    method: str
    path: str
    status: int
    milliseconds: int
    fault: str | None


class Requests(deque[Noted]):
    """The newest requests, oldest first."""

    def __init__(self) -> None:
        super().__init__(maxlen=KEPT)


class Gate:
    """An ASGI app around the API; it also tells every caller how many calls are left."""

    def __init__(self, platform: Platform, api: ASGIApp) -> None:
        self._platform = platform
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the API, as well or as badly as was ordered."""
        if scope["path"].startswith(PREFIX):
            await self._api(scope, receive, send)
            return
        began, seen = time.monotonic(), _Seen(send, self._platform)
        app, code = self._app(scope["path"]), Headers(scope=scope).get("heroku-two-factor-code")
        fault = self._platform.faults.for_request(scope["method"], scope["path"], code, app.id if app else None)
        try:
            if fault is None:
                await self._api(scope, receive, seen)
            else:
                await self._go_wrong(fault, scope, receive, seen)
        finally:
            self._note(scope, seen.status, began, fault)

    async def _go_wrong(self, fault: Fault, scope: Scope, receive: Receive, send: _Seen) -> None:
        if fault.kind == FACTOR:
            await _asks_for_code(self._app(scope["path"]))(scope, receive, send)
        elif fault.kind in REPLIES:
            await _answer(fault)(scope, receive, send)
        elif fault.kind == "reset-before":
            send.reset()
        elif fault.kind == "reset-after":
            await self._api(scope, receive, _swallow)
            send.reset()
        elif fault.kind == "latency":
            await asyncio.sleep(fault.seconds)
            await self._api(scope, receive, send)
        else:
            await self._api(scope, receive, _Stalling(send, fault.bytes, self._platform))

    def _app(self, path: str) -> records.App | None:
        named = re.match(r"/apps/([^/]+)", path)
        if named is None or path.endswith("/pre-authorizations"):
            return None
        return self._platform.state.apps.get(named[1]) or self._platform.app_named(named[1])

    def _note(self, scope: Scope, status: int, began: float, fault: Fault | None) -> None:
        took = round((time.monotonic() - began) * 1000)
        at = reply.moment(self._platform.clock.exactly())
        kind = fault.kind if fault else None
        self._platform.requests.append(Noted(at, scope["method"], scope["path"], status, took, kind))


class _Seen:
    """Passes a reply on, with the number of calls that are left, and remembers its status."""

    def __init__(self, send: Send, platform: Platform) -> None:
        self._send = send
        self._platform = platform
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            left = str(self._platform.limiter.remaining).encode()
            message = {**message, "headers": [*message.get("headers", []), (b"ratelimit-remaining", left)]}
        await self._send(message)

    def reset(self) -> None:
        """Reset the connection, as a router that dies does: the client gets RST instead of a reply."""
        # ASGI has no word for it; uvicorn's `send` is a method of the object that holds the transport.
        transport: Any = self._send.__self__.transport  # type: ignore[attr-defined]
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()


class _Stalling:
    """Lets so many bytes of a reply pass, then keeps the connection open and silent until the platform stops."""

    def __init__(self, send: Send, left: int, platform: Platform) -> None:
        self._send = send
        self._left = left
        self._platform = platform

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body = message.get("body", b"")
        passed, self._left = body[: self._left], max(self._left - len(body), 0)
        if passed:
            await self._send({"type": "http.response.body", "body": passed, "more_body": True})
        if len(passed) < len(body) or not message.get("more_body", False):
            await self._platform.ending.wait()


def _answer(fault: Fault) -> Any:
    if fault.kind == "unavailable":
        page = "<html><body><h1>503 Service Unavailable</h1></body></html>\n"
        return HTMLResponse(page, 503, reply.standard_headers())
    return reply.error(PROBLEMS[fault.kind])


def _asks_for_code(app: records.App | None) -> Response:
    """Answer as Heroku does: where an app is meant, it is named, and can be authorized for what follows."""
    body = {"id": "two_factor", "message": "A second authentication factor or pre-authorization is required."}
    said = json.dumps(body | ({"app": {"name": app.name}} if app else {}))
    return Response(said, 403, reply.standard_headers(), media_type="application/json")


async def _swallow(_: Message) -> None:
    """Take a reply that nobody is to get."""
