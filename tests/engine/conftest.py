"""The engine is tested on SQLite and, where its wheel is installed, on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an engine may record: a file that is not there yet, or the address of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/engine/p1.sqlite"
    return str(request.getfixturevalue("postgres_url"))
