"""A real local platform on a free port, in a thread of the test process."""

from __future__ import annotations

import functools
import io
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from . import schema, traffic
from .referee import Referee

if TYPE_CHECKING:
    from herodeploy.local import LocalPlatform

TOKEN = "a-token-of-the-tests"
SHOWN: list[Path] = []
"""What isolated builds and dynos see besides their own: tests talk with them through files of theirs."""

WEB_APP = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = "{text} {{}} {{}}".format(os.environ.get("GREETING", "-"), self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        print(*args[1:], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""


def tarball(files: Mapping[str, str]) -> bytes:
    """Return a gzipped source tarball of text files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def web_source(text: str = "hello", **files: str) -> dict[str, str]:
    """Return a Procfile-only app that answers with its text, $GREETING and the path."""
    return {"Procfile": "web: python3 serve.py\n", "serve.py": WEB_APP.format(text=text), **files}


def spare_port() -> int:
    """Return a free port that no outgoing connection gets, so that it is free still when a platform takes it."""
    from herodeploy.local import ports

    reserved = ports.reserve()
    reserved.release()
    return reserved.port


@dataclass
class Local:
    """A client of the platform under test."""

    url: str
    http: httpx.Client
    data: Path
    platform: Any = None
    loop: Any = None
    control: Any = None

    def call(self, method: str, path: str, body: Any = None, status: int | None = None, **headers: str) -> Any:
        """Send a request and return its JSON; any 2xx unless a status is expected."""
        answer = self.http.request(method, path, json=body, headers=headers)
        good = answer.status_code == status if status else answer.is_success
        assert good, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.call("POST", path, body, status)

    def patch(self, path: str, body: Any) -> Any:
        return self.call("PATCH", path, body, 200)

    def delete(self, path: str, status: int = 200) -> Any:
        return self.call("DELETE", path, None, status)

    def app(self, name: str | None = None) -> Any:
        """Create an app."""
        return self.post("/apps", {"name": name} if name else {})

    def upload(self, files: Mapping[str, str] | bytes) -> str:
        """Upload a source tarball and return where builds get it."""
        blob = self.post("/sources")["source_blob"]
        content = files if isinstance(files, bytes) else tarball(files)
        assert httpx.put(blob["put_url"], content=content).status_code == 200
        return str(blob["get_url"])

    def read(self, url: str) -> str:
        """Read an output stream to its end."""
        return httpx.get(url, timeout=120).text.replace("\0", "")

    def build(self, app: Any, files: Mapping[str, str] | bytes, version: str = "0123456789abcdef", **blob: Any) -> Any:
        """Build a source to its end; the build carries its output under ``output``."""
        url = self.upload(files)
        begun = self.post(f"/apps/{app['id']}/builds", {"source_blob": {"url": url, "version": version, **blob}})
        output = self.read(begun["output_stream_url"])
        return self.get(f"/apps/{app['id']}/builds/{begun['id']}") | {"output": output}

    def deploy(self, app: Any, files: Mapping[str, str] | bytes, version: str = "0123456789abcdef") -> Any:
        """Build a source, let its release settle, and return the release."""
        build = self.build(app, files, version)
        assert build["status"] == "succeeded", build["output"]
        return self.settled(app, build["release"]["id"])

    def settled(self, app: Any, release_id: str) -> Any:
        """Return a release once its command has ended."""
        release = self.get(f"/apps/{app['id']}/releases/{release_id}")
        if release["output_stream_url"]:
            self.read(release["output_stream_url"])
        return self.get(f"/apps/{app['id']}/releases/{release_id}")

    def current(self, app: Any) -> Any:
        """Return the release that serves."""
        rows = self.get(f"/apps/{app['id']}/releases", Range="version ..; order=desc")
        return next(row for row in rows if row["current"])

    def address(self, app: Any) -> str:
        """Return the app's own loopback address."""
        return str(next(row["address"] for row in self.get("/_local/apps") if row["id"] == app["id"]))

    def visit(self, app: Any, path: str = "/") -> httpx.Response:
        """Ask the app over its own port; the router holds the request while dynos start."""
        return httpx.get(self.address(app) + path.removeprefix("/"), timeout=60)


@functools.cache
def referee() -> Referee | None:
    """Return who watches all platforms of this process; None where the published schema is not here."""
    return Referee(schema.load()) if schema.FILE.exists() else None


def verdict() -> list[str]:
    """Return what was wrong in the traffic since the last call."""
    watcher = referee()
    return watcher.verdict() if watcher else []


def judge_recorded(folder: Path) -> list[str]:
    """Return what was wrong in the traffic that platforms of their own process wrote down."""
    watcher = referee()
    if watcher is None:
        return []
    for file in folder.glob("*.jsonl"):
        for exchange in traffic.recorded(file):
            watcher.see(exchange)
    return watcher.verdict()


@contextmanager
def _watched(server: Any) -> Iterator[None]:
    """Put the referee around the app of the platform that starts inside."""
    watcher, make_app = referee(), server.make_app
    if watcher is not None:
        server.make_app = lambda platform: watcher.around(make_app(platform))
    try:
        yield
    finally:
        server.make_app = make_app


def start(data: Path, **settings: Any) -> LocalPlatform:
    """Start a platform in a thread, with the referee around it; whoever started it stops it."""
    from herodeploy.local import LocalPlatform, server

    quick = {"heartbeat": 1.0, "stop_timeout": 5.0, "boot_timeout": 20.0, "isolation_paths": tuple(SHOWN)}
    platform = LocalPlatform(data, token=TOKEN, **{**quick, **settings})
    with _watched(server):
        return platform.start()


@contextmanager
def running(data: Path, **settings: Any) -> Iterator[Local]:
    """Run a platform in a thread."""
    platform = start(data, **settings)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/vnd.heroku+json; version=3"}
        with httpx.Client(base_url=platform.url, headers=headers, timeout=60) as client:
            yield Local(platform.url, client, data, platform.platform, platform.loop, platform.control)
    finally:
        platform.stop()
