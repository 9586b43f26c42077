from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local.dynos.supervisor import Plan, Supervisor
from herodeploy.local.logs import Logs
from herodeploy.local.process.sandbox import Sandbox
from herodeploy.local.settings import Settings

SERVER = "exec python3 server.py"
SERVER_FILE = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{os.environ['DYNO']} {os.environ.get('COLOUR', '')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
with HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler) as server:
    print("listening", flush=True)
    server.serve_forever()
"""


@dataclass
class Yard:
    """A supervisor with what belongs to it."""

    settings: Settings
    logs: Logs
    supervisor: Supervisor
    slug: Path

    def plan(self, process_types: Mapping[str, str], quantities: Mapping[str, int], **changes: Any) -> Plan:
        values = {"release_id": "release-1", "release_version": 1, "config": {}, **changes}
        return Plan(
            app_id="app-1", app_name="shop", slug=self.slug, process_types=process_types,
            quantities=quantities, sizes={}, **values,
        )  # fmt: skip

    def said(self, dyno: str | None = None, source: str | None = "heroku") -> list[str]:
        return [line.partition(": ")[2] for line in self.logs.tail("app-1", 1500, source=source, dyno=dyno)]

    def states(self) -> dict[str, str]:
        return {view.name: view.state for view in self.supervisor.dynos("app-1")}


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def make_slug(file: Path, contents: Mapping[str, str]) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for name, text in contents.items():
            member = tarfile.TarInfo(f"./app/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return file


@pytest.fixture
def make_yard(tmp_path: Path) -> Callable[..., Any]:
    slug = make_slug(tmp_path / "slug.tgz", {"server.py": SERVER_FILE, "Procfile": f"web: {SERVER}"})

    @asynccontextmanager
    async def open_yard(sandbox: Sandbox | None = None, **changes: float) -> AsyncIterator[Yard]:
        settings = Settings(tmp_path / "data", **changes)  # type: ignore[arg-type]
        logs = Logs(settings.logs)
        supervisor = Supervisor(settings, logs, sandbox)
        try:
            yield Yard(settings, logs, supervisor, slug)
        finally:
            await supervisor.close()

    return open_yard
