"""A client's request, and what becomes of its headers on the way to a dyno and back."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from herodeploy.local.router import https

Headers = list[tuple[bytes, bytes]]

VIA = b"1.1 herodeploy"
HOP_BY_HOP = {
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"trailers", b"transfer-encoding", b"upgrade",
}  # fmt: skip
SET_HERE = {
    b"expect", b"x-request-id", b"x-request-start", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port",
    b"via",
}  # fmt: skip
_KEPT_ID = re.compile(r"[A-Za-z0-9._~+/=-]{20,200}")


@dataclass(slots=True)
class Request:
    """What the router knows about a request.

    Parameters:
        target: path and query, as sent.
        forwarded_for: the client's address, after those that the request already named.
        arrived: in seconds of the wall clock; `began` of the monotonic one.
        https: it is passed on as one that came by HTTPS.
    """

    method: str
    target: bytes
    host: str
    headers: Headers
    id: str
    forwarded_for: str
    port: int
    arrived: float
    began: float
    https: bool = False

    @classmethod
    def of(cls, scope: Any) -> Request:
        """Read an ASGI scope."""
        headers: Headers = scope["headers"]
        query: bytes = scope.get("query_string", b"")
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        client = (scope.get("client") or ("127.0.0.1", 0))[0]
        earlier = _values(headers, b"x-forwarded-for")
        return cls(
            method=scope["method"],
            target=path + b"?" + query if query else path,
            host=_first(headers, b"host"),
            headers=headers,
            id=_request_id(_first(headers, b"x-request-id")),
            forwarded_for=", ".join([*earlier, client]),
            port=(scope.get("server") or ("", 0))[1] or 0,
            arrived=time.time(),
            began=time.monotonic(),
        )

    def onward(self) -> Headers:
        """Return the headers that a dyno gets."""
        given = https.to_app(self.headers, self.host) if self.https else self.headers
        kept = _end_to_end(given, besides=SET_HERE)
        if not self.host:
            kept.append((b"host", b"localhost"))
        if b"chunked" in _first(self.headers, b"transfer-encoding").lower().encode():
            kept = [pair for pair in kept if pair[0].lower() != b"content-length"]
            kept.append((b"transfer-encoding", b"chunked"))
        via = [*_values(self.headers, b"via"), VIA.decode()]
        return [
            *kept,
            (b"connection", b"close"),
            (b"x-request-id", self.id.encode()),
            (b"x-request-start", str(int(self.arrived * 1000)).encode()),
            (b"x-forwarded-for", self.forwarded_for.encode("latin-1", "replace")),
            (b"x-forwarded-proto", b"https" if self.https else b"http"),
            (b"x-forwarded-port", b"443" if self.https else str(self.port).encode()),
            (b"via", ", ".join(via).encode("latin-1", "replace")),
        ]

    def milliseconds(self) -> int:
        """Return how long ago it came."""
        return round((time.monotonic() - self.began) * 1000)


def homeward(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of a dyno's response that the client gets."""
    kept = _end_to_end(headers, besides={b"via"})
    via = [*_values(headers, b"via"), VIA.decode()]
    return [*kept, (b"via", ", ".join(via).encode("latin-1", "replace"))]


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], besides: set[bytes]) -> Headers:
    named = {token.strip().lower().encode() for value in _values(headers, b"connection") for token in value.split(",")}
    dropped = HOP_BY_HOP | besides | named
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return next(iter(_values(headers, name)), "")


def _request_id(given: str) -> str:
    """Keep the client's id when it has 20 to 200 plain characters."""
    return given if _KEPT_ID.fullmatch(given) else str(uuid.uuid4())
