"""Real local platforms whose traffic the published schema judges; see tests/support."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import platforms, schema
from support.platforms import Local


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
def local_class() -> type[Local]:
    """Return the client class, for platforms that run in a process of their own."""
    return Local


@pytest.fixture(scope="session")
def source() -> Callable[..., dict[str, str]]:
    """Return `web_source`."""
    return platforms.web_source


@pytest.fixture(scope="session")
def conforms() -> Callable[[str, Any], None]:
    """Return a check: this JSON is that resource of Heroku's published schema, with all of its fields."""
    law = schema.load()

    def check(resource: str, value: Any) -> None:
        problems = law.resource(resource, value)
        assert not problems, f"{resource}: {problems}"

    return check


@pytest.fixture(autouse=True)
def judged() -> Iterator[None]:
    """Fail the test whose traffic is not what Heroku publishes."""
    yield
    found = platforms.verdict()
    assert not found, "\n".join(found)
