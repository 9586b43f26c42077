"""How DBOS is set up here, and what its troubles mean to a reader."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from herodeploy.engine import place
from herodeploy.engine.port import T
from herodeploy.errors import StoreError

if TYPE_CHECKING:
    from dbos import DBOSConfig

VERSION = "legs-2"
"""Part of every record. Raise it when the order or the names of steps change: legs of others are not resumed."""


def config(database: Path | str, executor_id: str) -> DBOSConfig:
    """Return what `DBOS` is built with, and make the SQLite file where it is missing."""
    from dbos import DBOSPortableJSONSerializer

    name = f"herodeploy-{place.file_stem(executor_id)}"
    common: DBOSConfig = {
        # DBOS hands the legs of one application name only to workers of that name.
        "name": name,
        # Another id at each start: so nothing is resumed but what `run` is asked for.
        "executor_id": f"{name}-{os.getpid()}-{secrets.token_hex(4)}",
        # DBOS wants each application to have versions of its own.
        "application_version": f"{VERSION} of {name}",
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "CRITICAL",
        "max_executor_threads": 16,
        # Nothing is ever waited for there; it only says how soon the thread notices that it is to end.
        "notification_listener_polling_interval_sec": 0.05,
        "dbos_system_schema": "herodeploy_engine",
    }
    if place.is_postgres(database):
        return common | {"system_database_url": place.postgres(str(database)), "sys_db_pool_size": 4}
    return common | {
        "system_database_url": _sqlite_address(place.sqlite_file(database)),
        "db_engine_kwargs": {"connect_args": {"factory": _Connection}},
    }


def _sqlite_address(file: Path) -> str:
    import sqlalchemy as sa

    try:
        file.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(file, timeout=30)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
    except OSError as error:
        raise place.unusable(file, error) from error
    except sqlite3.Error as error:
        raise unreadable(str(file), error) from error
    return sa.URL.create("sqlite", database=str(file)).render_as_string()


class _Connection(sqlite3.Connection):
    """DBOS writes ``unixepoch('subsec')`` on Python 3.12 and later, which SQLite before 3.42 answers with NULL."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*_modifiers: object) -> float:
    return time.time()


def explained(call: Callable[..., T], *args: Any) -> T:
    """Call, and turn the engine's own troubles into ours; a leg's errors never come this way."""
    from dbos import PortableWorkflowError
    from dbos import error as dbos_error

    try:
        return database_explained(call, *args)
    # The second is the first, read from the record.
    except (dbos_error.DBOSException, PortableWorkflowError) as error:
        raise StoreError(
            f"herodeploy's engine cannot carry on what it recorded: {place.first_line(error)}",
            hint="a new attempt looks at what is there and goes on from it: herodeploy resume",
        ) from error


def database_explained(call: Callable[..., T], *args: Any) -> T:
    """Call, and turn the database's own troubles into ours; what DBOS itself raises passes."""
    import sqlalchemy as sa

    try:
        return call(*args)
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        raise unreadable("herodeploy's engine database", error) from error


def unreadable(what: str, error: Exception) -> StoreError:
    """Return the error for an engine database that cannot be used."""
    return StoreError(
        f"{what} cannot be used: {place.first_line(error)}",
        hint="is the disk full, or the file damaged? Moved away, it is made anew; Heroku itself loses nothing by it",
    )
