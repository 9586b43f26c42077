"""The real Heroku CLI against a real local platform."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from herodeploy.local import LocalPlatform

TOKEN = "a-token-of-the-tests"


class Local:
    """A client of the platform under test."""

    def __init__(self, platform: LocalPlatform, client: httpx.Client) -> None:
        self.url = platform.url
        self.http = client

    def call(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        """Send a request and return its JSON; any 2xx unless a status is expected."""
        answer = self.http.request(method, path, json=body)
        good = answer.status_code == status if status else answer.is_success
        assert good, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.call("POST", path, body, status)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def visit(self, app: Any) -> httpx.Response:
        """Ask the app over its own port; the router holds the request while dynos start."""
        address = next(row["address"] for row in self.get("/_local/apps") if row["id"] == app["id"])
        return httpx.get(address, timeout=60)


class HerokuCLI:
    """The CLI as a person with an empty home folder runs it, against one platform."""

    def __init__(self, program: Path, url: str, token: str, home: Path) -> None:
        self.program = program
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG", "STATE")},
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "HEROKU_HOST": url,
            "HEROKU_API_KEY": token,
            "HEROKU_PARTICLEBOARD_URL": url,
            "DISABLE_TELEMETRY": "true",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def __call__(
        self,
        *arguments: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 # as subprocess names it
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; a failing one fails the test unless ``check`` is False."""
        done = subprocess.run(
            [str(self.program), *arguments],
            cwd=cwd or self.home,
            env=self.env | dict(env or {}),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=240,
        )
        shown = f"heroku {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0 or not check, shown
        return done


@pytest.fixture(scope="session")
def heroku_program() -> Path:
    """The executable of the real CLI; without one the test is skipped, in CI it fails."""
    given = os.environ.get("HERODEPLOY_TEST_HEROKU_CLI")
    found = shutil.which("heroku", path=given) if given else shutil.which("heroku")
    if found is None:
        missing = "the Heroku CLI is not here; HERODEPLOY_TEST_HEROKU_CLI names its bin folder"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return Path(found)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """One platform for a test file."""
    with (
        LocalPlatform(tmp_path_factory.mktemp("platform"), token=TOKEN, stop_timeout=5.0) as platform,
        httpx.Client(base_url=platform.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client,
    ):
        yield Local(platform, client)


@pytest.fixture
def heroku(heroku_program: Path, local: Local, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """The CLI: ``heroku("apps:info", "-a", app)`` runs to its end and returns what it said."""
    return HerokuCLI(heroku_program, local.url, TOKEN, tmp_path_factory.mktemp("home"))
