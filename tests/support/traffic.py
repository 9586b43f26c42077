"""Watching an ASGI app: every request to the API with its reply, nothing changed.

It imports the standard library only, as it also runs inside platforms of their own process (see recording/).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
ASGIApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

LARGEST_BODY = 4 * 1024 * 1024
METHODS = ("PUT", "PATCH", "DELETE")
HOSTS = ("127.0.0.1", "localhost")

NOT_THE_API = ("/_local/", "/streams/", "/blobs/", "/log-streams/", "/buildpacks")
"""Addresses that Heroku serves from other hosts than the API, and the platform's own."""
GIT = re.compile(r"/[^/]+\.git(/.*)?")
"""What git asks; on Heroku another host, too."""


@dataclass
class Exchange:
    """One request and its reply."""

    method: str
    path: str
    asked: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """The reply's; names in lower case."""
    answered: bytes = b""
    more: str = ""
    """What the request wanted beyond the schema: its Accept-Expansion and Accept-Inclusion."""

    @property
    def is_json(self) -> bool:
        """Tell whether the reply is JSON."""
        return self.headers.get("content-type", "").split(";")[0] == "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


def watched(app: ASGIApp, show: Callable[[Exchange], None]) -> ASGIApp:
    """Return an ASGI app that lets everything through and shows it to somebody once it is answered."""

    async def watching(scope: Message, receive: Any, send: Any) -> None:
        exchange = _begun(scope)
        if exchange is None:
            await app(scope, receive, send)
            return

        async def hear() -> Message:
            message: Message = await receive()
            if message["type"] == "http.request" and len(exchange.asked) < LARGEST_BODY:
                exchange.asked += message.get("body", b"")
            return message

        await app(scope, hear, _Say(send, exchange, show))

    return watching


class _Say:
    """Passes a reply on and notes it; to a platform that resets connections it is the server's own ``send``."""

    def __init__(self, send: Any, exchange: Exchange, show: Callable[[Exchange], None]) -> None:
        self.__self__ = getattr(send, "__self__", None)
        self._send = send
        self._exchange = exchange
        self._show = show

    async def __call__(self, message: Message) -> None:
        exchange = self._exchange
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            exchange.headers = _headers(message)
        elif message["type"] == "http.response.body":
            if exchange.is_json and len(exchange.answered) < LARGEST_BODY:
                exchange.answered += message.get("body", b"")
            if not message.get("more_body"):
                self._show(exchange)
        await self._send(message)


def record(file: Path, exchange: Exchange) -> None:
    """Write an exchange at the end of a file."""
    plain = {
        key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for key, value in asdict(exchange).items()
    }
    with file.open("a") as out:
        out.write(json.dumps(plain) + "\n")


def recorded(file: Path) -> Iterator[Exchange]:
    """Read the exchanges of a file; a line that a kill cut off is left out."""
    for line in file.read_text().splitlines():
        try:
            plain = json.loads(line)
        except ValueError:
            continue
        for key in ("asked", "answered"):
            plain[key] = base64.b64decode(plain[key])
        yield Exchange(**plain)


def _begun(scope: Message) -> Exchange | None:
    """Return a fresh exchange; None for what is not the API."""
    if scope["type"] != "http":
        return None
    headers = _headers(scope)
    host = headers.get("host", "").rsplit(":", 1)[0].lower()
    if host not in HOSTS or scope["path"].startswith(NOT_THE_API) or GIT.fullmatch(scope["path"]):
        return None
    wanted = headers.get("x-http-method-override", "").upper()
    method = wanted if scope["method"] == "POST" and wanted in METHODS else scope["method"]
    more = ",".join(headers[name] for name in ("accept-expansion", "accept-inclusion") if name in headers)
    return Exchange(method, scope["path"], more=more)


def _headers(message: Message) -> dict[str, str]:
    return {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in message.get("headers", [])}
