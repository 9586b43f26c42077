"""A GitHub on this machine: the two calls about checks, as https://docs.github.com/rest publishes them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PATH = re.compile(r"/api/v3/repos/([^/]+/[^/]+)/commits/([0-9a-f]+)/(check-runs|status)")
USER = {"login": "ci-bot", "id": 7, "type": "Bot", "site_admin": False}


@dataclass
class GitHub:
    """What there is to know; change it while it runs.

    Parameters:
        token: the one that may read; None lets everybody.
        runs, statuses: of each commit, by name: status and conclusion of a run, state of a status.
        unknown: commits that were not pushed.
        trouble: a status, headers and body that every call is answered with.
    """

    url: str
    repository: str
    token: str | None = "gh-s3cret"
    runs: dict[str, dict[str, tuple[str, str | None]]] = field(default_factory=dict)
    statuses: dict[str, dict[str, str]] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    trouble: tuple[int, dict[str, str], Any] | None = None
    seen: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def run(self, commit: str, name: str, conclusion: str | None = "success", status: str = "completed") -> None:
        """Let a check run report; without a conclusion it is still at work."""
        self.runs.setdefault(commit, {})[name] = (
            status if conclusion or status != "completed" else "in_progress",
            conclusion,
        )

    def status(self, commit: str, name: str, state: str = "success") -> None:
        """Set a commit status."""
        self.statuses.setdefault(commit, {})[name] = state

    def asked(self, commit: str) -> int:
        """How often anything was asked about a commit."""
        return sum(commit in path for path in self.seen)


@contextmanager
def running(repository: str = "acme/shop") -> Iterator[GitHub]:
    """Serve on a free port while the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.github = GitHub(f"http://127.0.0.1:{server.server_port}/api/v3", repository)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    github: GitHub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        github = self.server.github
        github.seen.append(self.path)
        github.agents.add(self.headers.get("User-Agent", ""))
        self._reply(*_answer(github, self.path, self.headers.get("Authorization")))

    def _reply(self, status: int, headers: dict[str, str], body: Any) -> None:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


def _answer(github: GitHub, path: str, authorization: str | None) -> tuple[int, dict[str, str], Any]:
    if github.trouble is not None:
        return github.trouble
    if authorization not in (None, f"token {github.token}", f"Bearer {github.token}"):
        return _refusal(401, "Bad credentials")
    parts = urlsplit(path)
    match = PATH.fullmatch(parts.path)
    if match is None or match[1] != github.repository or (github.token and authorization is None):
        return _refusal(404, "Not Found")
    if match[2] in github.unknown:
        return _refusal(422, f"No commit found for SHA: {match[2]}")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    make = _check_runs if match[3] == "check-runs" else _combined_status
    return _paged(github, parts.path, query, *make(github, match[2]))


def _refusal(status: int, message: str) -> tuple[int, dict[str, str], Any]:
    return status, {}, {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}


def _paged(
    github: GitHub, path: str, query: dict[str, str], rows: list[Any], key: str, rest: dict[str, Any]
) -> tuple[int, dict[str, str], Any]:
    size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
    shown = rows[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(rows):
        origin = github.url.removesuffix("/api/v3")
        headers["Link"] = f'<{origin}{path}?{urlencode({**query, "page": page + 1})}>; rel="next"'
    return 200, headers, {"total_count": len(rows), key: shown, **rest}


def _check_runs(github: GitHub, commit: str) -> tuple[list[Any], str, dict[str, Any]]:
    rows = [
        {
            "id": number,
            "head_sha": commit,
            "node_id": f"node-{number}",
            "external_id": "",
            "url": f"{github.url}/repos/{github.repository}/check-runs/{number}",
            "html_url": f"https://github.com/{github.repository}/runs/{number}",
            "details_url": "https://example.com/?token=secret",
            "status": status,
            "conclusion": conclusion,
            "started_at": "2026-11-23T12:00:00Z",
            "completed_at": "2026-11-23T12:01:00Z" if conclusion else None,
            "output": {"title": None, "summary": None, "text": None, "annotations_count": 0, "annotations_url": ""},
            "name": name,
            "check_suite": {"id": 5},
            "app": {"id": 1, "slug": "github-actions", "name": "GitHub Actions"},
            "pull_requests": [],
        }
        for number, (name, (status, conclusion)) in enumerate(github.runs.get(commit, {}).items(), start=1)
    ]
    return rows, "check_runs", {}


def _combined_status(github: GitHub, commit: str) -> tuple[list[Any], str, dict[str, Any]]:
    found = github.statuses.get(commit, {})
    rows = [
        {
            "url": f"{github.url}/repos/{github.repository}/statuses/{commit}",
            "avatar_url": "https://github.com/images/error/other_user_happy.gif",
            "id": number,
            "node_id": f"node-{number}",
            "state": state,
            "description": None,
            "target_url": "https://example.com/?token=secret",
            "context": name,
            "created_at": "2026-11-23T12:00:00Z",
            "updated_at": "2026-11-23T12:00:00Z",
        }
        for number, (name, state) in enumerate(found.items(), start=1)
    ]
    states = set(found.values())
    whole = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    return rows, "statuses", {"state": whole, "sha": commit, "repository": {"full_name": github.repository}}
