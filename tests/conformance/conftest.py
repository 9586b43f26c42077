"""The real Heroku CLI against a real local platform, all traffic judged by the published schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import heroku_cli, platforms, schema
from support.heroku_cli import HerokuCLI
from support.platforms import Local


@pytest.fixture(scope="session")
def heroku_program() -> Path:
    """The executable of the real CLI."""
    return heroku_cli.executable()


@pytest.fixture(scope="session")
def law() -> schema.Schema:
    """The published schema; without it the referee sees nothing, and its own tests are skipped."""
    return schema.load()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """One platform for a test file; tests use apps of their own."""
    with platforms.running(tmp_path_factory.mktemp("platform")) as client:
        yield client


@pytest.fixture(scope="session")
def run_platform() -> Callable[..., Any]:
    """Return `running`, for tests that need a platform of their own."""
    return platforms.running


@pytest.fixture(scope="session")
def source() -> Callable[..., dict[str, str]]:
    """Return `web_source`."""
    return platforms.web_source


@pytest.fixture
def heroku_of(heroku_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., HerokuCLI]:
    """Make a CLI of another platform, or of somebody who is not logged in (``token=None``)."""

    def make(platform: Local, token: str | None = platforms.TOKEN) -> HerokuCLI:
        return HerokuCLI(heroku_program, platform.url, token, tmp_path_factory.mktemp("home"))

    return make


@pytest.fixture
def heroku(heroku_of: Callable[..., HerokuCLI], local: Local) -> HerokuCLI:
    """The CLI: ``heroku("apps:info", "-a", app)`` runs to its end and returns what it said."""
    return heroku_of(local)


@pytest.fixture(autouse=True)
def judged() -> Iterator[None]:
    """Fail the test whose traffic is not what Heroku publishes."""
    yield
    found = platforms.verdict()
    assert not found, "\n".join(found)
