"""A local platform as a pytest fixture, for those who ask.

Put ``pytest_plugins = ["herodeploy.local.pytest_plugin"]`` into conftest.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from herodeploy.local.embedded import LocalPlatform


@pytest.fixture(scope="session")
def session_platform() -> Iterator[LocalPlatform]:
    """One local platform for all tests of a process."""
    with LocalPlatform() as platform:
        yield platform


@pytest.fixture
def local_platform(session_platform: LocalPlatform) -> Iterator[LocalPlatform]:
    """A local platform without apps, pipelines or faults, and variables that point clients at it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in session_platform.env.items():
            patch.setenv(name, value)
        yield session_platform
    session_platform.control.reset()
