from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from herodeploy.domain.secret import Secret
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session

TOKEN = "HRKU-s3cret-t0ken"

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Platform:
    """A real HTTP server; each request takes the next answer that its path was given, and the last one stays."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)

    def on(self, request: str, *answers: Answer) -> None:
        """`request` is a method and a path, such as ``GET /apps/shop``."""
        self.answers[request] = list(answers)

    def next(self, request: str) -> Answer:
        queue = self.answers.get(request)
        if not queue:
            return reply(404, {"id": "not_found", "message": f"nothing at {request}"})
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def asked(self, request: str) -> list[Seen]:
        return [each for each in self.seen if f"{each.method} {each.path}" == request]


def reply(status: int = 200, body: object = None, headers: dict[str, str] | None = None) -> Answer:
    """JSON, or the text or bytes given."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "application/json" if not isinstance(body, str | bytes) else "text/html"
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(raw)

    return answer


def chunked(*chunks: bytes, status: int = 200, cut: bool = False) -> Answer:
    """A chunked reply; with `cut` the connection ends without the last chunk."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if not cut:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = handler.close_connection or cut

    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection after the request was read, without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()
    raise ConnectionAbortedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    platform: Platform

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0
    server: _Server

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(self.command, self.path, dict(self.headers.items()), self.rfile.read(length), self.client_address)
        self.server.platform.seen.append(seen)
        self.server.platform.next(f"{self.command} {self.path}")(self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.platform = Platform(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.platform
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def naps() -> list[float]:
    """What the client would have slept."""
    return []


@pytest.fixture
def session(platform: Platform, naps: list[float]) -> Iterator[Session]:
    session = Session(platform.url, Secret(TOKEN), sleep=naps.append, timeout=(60, 60))
    yield session
    session.close()


@pytest.fixture
def heroku(session: Session) -> Heroku:
    return Heroku(session)


@pytest.fixture(autouse=True)
def clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("HEROKU_HOST", "HEROKU_API_KEY", "NETRC", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
