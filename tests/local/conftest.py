"""A real local platform on a free port, in a thread of the test process, and the published schema as a referee."""

from __future__ import annotations

import copy
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

TOKEN = "a-token-of-the-tests"
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "heroku" / "schema.json"

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


SEEN: list[Path] = []
"""What isolated dynos see besides their own: tests talk with them through files of theirs."""


@pytest.fixture(scope="session", autouse=True)
def shown_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let isolated dynos see the tests' folder."""
    SEEN[:] = [tmp_path_factory.getbasetemp()]
    return SEEN[0]


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


@contextmanager
def running(data: Path, **changes: Any) -> Iterator[Local]:
    """Run a platform in a thread."""
    from herodeploy.local import LocalPlatform

    settings = {"heartbeat": 1.0, "stop_timeout": 5.0, "boot_timeout": 20.0, "isolation_paths": tuple(SEEN), **changes}
    with LocalPlatform(data, token=TOKEN, **settings) as platform:
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/vnd.heroku+json; version=3"}
        with httpx.Client(base_url=platform.url, headers=headers, timeout=60) as client:
            yield Local(platform.url, client, data, platform.platform, platform.loop)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """One platform for a test file; tests use apps of their own."""
    with running(tmp_path_factory.mktemp("platform")) as client:
        yield client


@pytest.fixture(scope="session")
def run_platform() -> Callable[..., Any]:
    """Return `running`, for tests that need a platform of their own."""
    return running


@pytest.fixture(scope="session")
def local_class() -> type[Local]:
    """Return the client class, for platforms that run in a process of their own."""
    return Local


@pytest.fixture(scope="session")
def source() -> Callable[..., dict[str, str]]:
    """Return `web_source`."""
    return web_source


@pytest.fixture(scope="session")
def conforms() -> Callable[[str, Any], None]:
    """Return a check: this JSON is that resource of Heroku's published schema, with all of its fields."""
    if not SCHEMA.exists():
        pytest.skip("the published schema is not here (../shared/heroku/schema.json)")
    from jsonschema import Draft4Validator, FormatChecker
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    schema = _strict(json.loads(SCHEMA.read_text("utf-8")))
    registry: Any = Registry().with_resource("urn:heroku", Resource(schema, DRAFT4))

    def check(resource: str, value: Any) -> None:
        validator = Draft4Validator(
            {"$ref": f"urn:heroku#/definitions/{resource}"}, registry=registry, format_checker=FormatChecker()
        )
        problems = [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
        assert not problems, f"{resource}: {problems}"
        missing = set(schema["definitions"][resource].get("properties", {})) - set(value)
        assert not missing, f"{resource} lacks {sorted(missing)}"

    return check


def _strict(schema: Any) -> Any:
    """Make strictProperties mean what it says; host names in addresses are ours."""
    schema = copy.deepcopy(schema)
    for key in ("git_url", "web_url"):
        del schema["definitions"]["app"]["definitions"][key]["pattern"]

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("strictProperties") and "properties" in node:
                node["additionalProperties"] = False
            node.pop("links", None)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema)
    return schema
