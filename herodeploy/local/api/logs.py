"""Log sessions: the newest lines of an app's log, and what comes after them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, routing
from herodeploy.local.api.streams import EVENTS, one_line
from herodeploy.local.logs import KEPT
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

MOST_SESSIONS = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """What a log session asked for."""

    app_id: str
    lines: int
    tail: bool
    source: str | None
    dyno: str | None


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of log sessions."""
    sessions: dict[str, Session] = {}

    async def create(platform: Platform, request: Request) -> reply.Reply:
        return _open(platform, sessions, find.path_app(platform, request), await routing.body(request))

    async def read(platform: Platform, request: Request) -> Response:
        session = sessions.get(request.path_params["key"])
        if session is None or platform.state.apps.get(session.app_id) is None:
            raise not_found("log session")
        return _stream(platform, session, request)

    return [
        routing.route(platform, "POST", "/apps/{app}/log-sessions", create),
        routing.route(platform, "GET", "/log-streams/{key}", read),
    ]


def _open(platform: Platform, sessions: dict[str, Session], app: records.App, values: dict[str, Any]) -> reply.Reply:
    lines = values.get("lines")
    if lines is not None and (isinstance(lines, bool) or not isinstance(lines, int) or lines < 0):
        raise invalid("lines must be a number.")
    key = secrets.token_hex(24)
    sessions[key] = Session(
        app_id=app.id,
        lines=min(100 if lines is None else lines, KEPT),
        tail=routing.flag(values, "tail"),
        source=routing.text(values, "source"),
        dyno=routing.text(values, "dyno") or routing.text(values, "dyno_name") or routing.text(values, "type"),
    )
    while len(sessions) > MOST_SESSIONS:
        del sessions[next(iter(sessions))]
    now = platform.now()
    url = f"{platform.base_url}/log-streams/{key}"
    return reply.created({"id": str(uuid.uuid4()), "logplex_url": url, "created_at": now, "updated_at": now})


def _stream(platform: Platform, session: Session, request: Request) -> Response:
    as_events = EVENTS in request.headers.get("accept", "")
    headers = reply.standard_headers() | {"Cache-Control": "no-store"}
    kind = EVENTS if as_events else "text/plain; charset=utf-8"
    return StreamingResponse(_lines(platform, session, as_events), 200, headers, kind)


async def _lines(platform: Platform, session: Session, as_events: bool) -> AsyncIterator[str]:
    # Following begins before the tail is read and nothing is awaited between: no line is lost or shown twice.
    follower = platform.logs.follow(session.app_id, session.source, session.dyno) if session.tail else None
    number = 0
    for line in platform.logs.tail(session.app_id, session.lines, session.source, session.dyno):
        number += 1
        yield _shown(number, line, as_events)
    while follower is not None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(platform.settings.heartbeat):
                try:
                    line = await anext(follower)
                except StopAsyncIteration:
                    return
            number += 1
            yield _shown(number, line, as_events)
            continue
        yield ": \n\n" if as_events else "\0"


def _shown(number: int, line: str, as_events: bool) -> str:
    return f"id: {number}\ndata: {one_line(line.encode()).decode()}\n\n" if as_events else f"{line}\n"
