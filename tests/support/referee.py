"""The referee: sees all traffic of a platform and says where it is not what Heroku publishes.

Put it around the platform's ASGI app with `Referee.around`; ask for `Referee.verdict` when a test ends.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from .schema import Link, Schema, overlooked, problems

Message = MutableMapping[str, Any]
ASGIApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

LARGEST_BODY = 4 * 1024 * 1024
METHODS = ("PUT", "PATCH", "DELETE")

NOT_THE_API = ("/_local/", "/streams/", "/blobs/", "/log-streams/", "/buildpacks")
"""Addresses that Heroku serves from other hosts than the API, and the platform's own."""

UNPUBLISHED = [
    (r"DELETE /oauth/sessions/~", "logout of the Heroku CLI"),
]
"""Endpoints that the Heroku CLI calls and the schema lacks: a pattern, and who needs it."""


@dataclass
class Exchange:
    """One request and its reply."""

    method: str
    path: str
    headers: dict[str, str]
    asked: bytes = b""
    status: int = 0
    reply_headers: dict[str, str] = field(default_factory=dict)
    answered: bytes = b""

    @property
    def is_json(self) -> bool:
        """Tell whether the reply is JSON."""
        return self.reply_headers.get("content-type", "").split(";")[0] == "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


class Referee:
    """Judges the traffic of any number of platforms.

    Parameters:
        schema: the law.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._seen: deque[Exchange] = deque()
        self._known: set[int] = set()
        self._lock = threading.Lock()
        self.judged = 0

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return an ASGI app that lets everything through unchanged and remembers it."""

        async def watched(scope: Message, receive: Any, send: Any) -> None:
            exchange = _begun(scope)
            if exchange is None:
                await app(scope, receive, send)
                return

            async def hear() -> Message:
                message: Message = await receive()
                if message["type"] == "http.request" and len(exchange.asked) < LARGEST_BODY:
                    exchange.asked += message.get("body", b"")
                return message

            await app(scope, hear, _Say(send, lambda message: self._note(exchange, message)))

        return watched

    def verdict(self) -> list[str]:
        """Return what was wrong since the last time."""
        found = []
        while self._seen:
            exchange = self._seen.popleft()
            key = hash((exchange.method, exchange.path, exchange.status, exchange.asked, exchange.answered))
            with self._lock:
                fresh = key not in self._known
                self._known.add(key)
            if fresh:
                self.judged += 1
                found += [f"{exchange}: {problem}" for problem in judge(self._schema, exchange)]
        return found

    def _note(self, exchange: Exchange, message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            exchange.reply_headers = _headers(message)
        elif message["type"] == "http.response.body":
            if exchange.is_json and len(exchange.answered) < LARGEST_BODY:
                exchange.answered += message.get("body", b"")
            if not message.get("more_body"):
                self._seen.append(exchange)


class _Say:
    """Passes a reply on and shows it to somebody; to a platform that resets connections it is the server's own."""

    def __init__(self, send: Any, show: Callable[[Message], None]) -> None:
        self.__self__ = getattr(send, "__self__", None)
        self._send = send
        self._show = show

    async def __call__(self, message: Message) -> None:
        self._show(message)
        await self._send(message)


def judge(schema: Schema, exchange: Exchange) -> list[str]:
    """Return what is wrong with an exchange."""
    if exchange.status >= 400:
        return _judge_error(exchange)
    links = schema.matching(exchange.method, exchange.path)
    if not links:
        known = any(re.fullmatch(pattern, f"{exchange.method} {exchange.path}") for pattern, _ in UNPUBLISHED)
        return [] if known else ["this endpoint is not in the schema, and not in UNPUBLISHED"]
    found = _judge_headers(exchange)
    if exchange.status == 304 or exchange.method == "HEAD":
        return found
    if not exchange.is_json:
        return [*found, "the reply is no JSON"]
    value = json.loads(exchange.answered)
    found += _best([problems(link.reply, value) for link in links if link.reply is not None])
    if exchange.asked.strip():
        asked = json.loads(exchange.asked)
        found += _best([_judge_request(link, asked) for link in links if link.request])
    return found


def _judge_request(link: Link, asked: Any) -> list[str]:
    return [f"request: {problem}" for problem in problems(link.request, asked) if not overlooked(link, problem)]


def _best(verdicts: list[list[str]]) -> list[str]:
    """Return the mildest of several verdicts: one fitting endpoint is enough."""
    return min(verdicts, key=len, default=[])


def _judge_headers(exchange: Exchange) -> list[str]:
    headers = exchange.reply_headers
    found = [f"no {name} header" for name in ("request-id", "ratelimit-remaining", "etag") if name not in headers]
    if (exchange.status == 206) != ("next-range" in headers):
        found.append("206 and Next-Range belong together")
    return found


def _judge_error(exchange: Exchange) -> list[str]:
    """Errors are ``{"id", "message"}``; only a gateway answers with a page."""
    if not exchange.is_json:
        return [] if exchange.status in (500, 502, 503) else ["an error that is no JSON"]
    value = json.loads(exchange.answered)
    if exchange.status == 500 and "bug" in value.get("message", ""):
        return ["the platform broke"]
    good = isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("id", "message"))
    return [] if good else [f"an error without id and message: {value}"]


def _begun(scope: Message) -> Exchange | None:
    """Return a fresh exchange; None for what is not the API."""
    if scope["type"] != "http":
        return None
    headers = _headers(scope)
    host = headers.get("host", "").rsplit(":", 1)[0].lower()
    if host not in ("127.0.0.1", "localhost") or scope["path"].startswith(NOT_THE_API):
        return None
    wanted = headers.get("x-http-method-override", "").upper()
    method = wanted if scope["method"] == "POST" and wanted in METHODS else scope["method"]
    return Exchange(method, scope["path"], headers)


def _headers(message: Message) -> dict[str, str]:
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in message.get("headers", [])}
