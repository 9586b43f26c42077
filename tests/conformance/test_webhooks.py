"""heroku webhooks:*."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest


@pytest.fixture
def receiver() -> Iterator[str]:
    """An address that takes every delivery."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhooks(heroku: Any, local: Any, receiver: str) -> None:
    app = local.app("hooked")
    said = heroku("webhooks:add", "-i", "api:release", "-l", "sync", "-u", receiver, "-a", "hooked").stdout
    (hook,) = local.get("/apps/hooked/webhooks")
    assert "Webhooks Signing Secret" in said
    assert hook["url"] in heroku("webhooks", "-a", "hooked").stdout
    local.patch(f"/apps/{app['id']}/config-vars", {"A": "1"})
    assert "release" in heroku("webhooks:events", "-a", "hooked").stdout
    shown = heroku("webhooks:deliveries", "-a", "hooked").stdout
    (first, *_) = local.get("/apps/hooked/webhook-deliveries")
    assert first["id"] in shown
    info = heroku("webhooks:deliveries:info", first["id"], "-a", "hooked").stdout
    assert first["event"]["id"] in info
    heroku("webhooks:update", hook["id"], "-i", "api:build", "-l", "notify", "-u", receiver, "-a", "hooked")
    assert "api:build" in heroku("webhooks:info", hook["id"], "-a", "hooked").stdout
    heroku("webhooks:remove", hook["id"], "-a", "hooked")
    assert local.get("/apps/hooked/webhooks") == []
