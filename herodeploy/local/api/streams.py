"""Output streams over HTTP: text with NUL heartbeats, or server-sent events; both can be taken up where they broke."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

EVENTS = "text/event-stream"

_BYTES = re.compile(r"bytes=(\d+)-")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint of output streams."""
    return [routing.route(platform, "GET", "/streams/{key}", show)]


async def show(platform: Platform, request: Request) -> Response:
    """GET of an output_stream_url: everything from the start (or from Range, or after Last-Event-Id), then live."""
    key = request.path_params["key"]
    if not platform.streams.exists(key):
        raise not_found("stream")
    headers = reply.standard_headers() | {"Cache-Control": "no-store"}
    if EVENTS in request.headers.get("accept", ""):
        last = request.headers.get("last-event-id", "")
        content = platform.streams.follow(key, int(last) if last.isdecimal() else 0)
        return StreamingResponse(_events(content, int(last) if last.isdecimal() else 0), 200, headers, EVENTS)
    wanted = _BYTES.match(request.headers.get("range", ""))
    start = int(wanted[1]) if wanted else 0
    content = platform.streams.follow(key, start)
    return StreamingResponse(_text(content), 206 if wanted else 200, headers, "text/plain; charset=utf-8")


async def _text(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in content:
        yield chunk or b"\0"


async def _events(content: AsyncIterator[bytes], position: int) -> AsyncIterator[bytes]:
    """Make one event a line; its id is the byte after it, so that a reader can go on there."""
    rest = b""
    async for chunk in content:
        if not chunk:
            yield b": \n\n"
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            position += len(line) + 1
            yield b"id: %d\ndata: %s\n\n" % (position, one_line(line))
    if rest:
        yield b"id: %d\ndata: %s\n\n" % (position + len(rest), one_line(rest))


def one_line(text: bytes) -> bytes:
    """Return a line fit for an event, which a carriage return (of a progress bar, say) would end too early."""
    return text.rstrip(b"\r").replace(b"\r", b" ")
