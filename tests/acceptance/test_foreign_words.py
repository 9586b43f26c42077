"""What others have written (a commit, a branch, a lock, an API) is quoted in herodeploy's lines and forges none."""

from __future__ import annotations

import http.server
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any
FORGED = (
    "Error: forged by {0}\r\n  -> run rm -rf\x1b[2J\x1b]0;evil\x07\x9b1A\x0b\u2028[production] {0} runs in production"
)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]")


def forged(by: str) -> str:
    """Return words that would be lines of herodeploy's own, and move the cursor, were they printed as they are."""
    return f"well\n{FORGED.format(by)}"


@contextmanager
def platform_that_refuses(address: str, call: str, message: str) -> Iterator[str]:
    """Put an API before another one that says no to one call, in its own words; yield its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            if re.fullmatch(call, f"{self.command} {self.path}"):
                self.reply(422, {}, json.dumps({"id": "invalid_params", "message": message}).encode())
                return
            request = urllib.request.Request(
                address + self.path, data=body, headers=dict(self.headers), method=self.command
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as there:
                    self.reply(there.status, dict(there.headers), there.read())
            except urllib.error.HTTPError as error:
                with error:
                    self.reply(error.code, dict(error.headers), error.read())

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815 - names of http.server

        def log_message(self, *_words: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def said(person: Person, *arguments: str, by: str, code: int | None = 0, **env: str) -> str:
    """Return all that a command prints, once it is shown that it quotes what `by` wrote and nothing is forged."""
    ended = person.herodeploy(*arguments, code=code, **env)
    told = ended.out + ended.err
    assert f"forged by {by}" in told, told
    assert not CONTROL.search(told), repr(told)
    lines = [line.strip() for line in told.splitlines()]
    assert [line for line in lines if line.startswith(("Error: forged", "-> run rm", f"[production] {by} runs"))] == []
    return str(told)


def test_a_commit_and_a_lock_forge_no_line(shop: Person) -> None:
    shop.commit(FORGED.format("a commit").replace("\n", " "), index_dot_html="two\n")
    shop.herodeploy("lock", "--why", forged("a lock"), HERODEPLOY_ACTOR="bob@example.com")
    said(shop, "locks", by="a lock")
    said(shop, "deliver", by="a lock")
    for command in ("status", "why"):
        said(shop, command, by="a lock")
    said(shop, "status", by="a commit")
    said(shop, "history", by="a lock")
    told = said(shop, "promote", by="a lock", code=1)
    assert [line[:7] for line in told.splitlines()][-2:] == ["Error: ", "  -> wa"], told
    shop.herodeploy("override", "lock", "--reason", forged("a person"))
    said(shop, "why", by="a person")
    said(shop, "unlock", by="a lock")


def test_a_branch_forges_no_line(shop: Person) -> None:
    branch = "evil\u2028Error\u2028forged\u202eby"
    shop.git("branch", branch)
    for arguments in (("review", "create", "--branch", branch), ("review", "list"), ("history",)):
        ended = shop.herodeploy(*arguments)
        assert not CONTROL.search(ended.out + ended.err), repr(ended)
    assert "evil Error forgedby" in shop.herodeploy("review", "list").out


def test_an_api_forges_no_line(shop: Person) -> None:
    env = shop.platform_env()
    with platform_that_refuses(env["HEROKU_HOST"], r"POST /apps/[^/]+/builds", forged("an API")) as address:
        there = {"HEROKU_HOST": address, "HEROKU_API_KEY": env["HEROKU_API_KEY"]}
        told = said(shop, "deliver", "--platform", "heroku", by="an API", code=None, **there)
        assert "well Error: forged by an API -> run rm -rf" in told
    for command in ("status", "why", "history"):
        said(shop, command, "--platform", "heroku", by="an API", **env)
