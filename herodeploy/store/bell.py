"""Hearing at once that somebody wrote to the database, at next to no cost while nobody does."""

from __future__ import annotations

import select
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import sqlalchemy as sa

from herodeploy.errors import StoreError

CHANNEL = "herodeploy"
POLL = 0.1
"""Seconds between two looks at the counter of a SQLite file, which take some microseconds each."""


class Bell(Protocol):
    """Rings after every write, those of this process too; what was written between two waits is not missed."""

    def wait(self, seconds: float) -> bool:
        """Return True once it rings, or False after so many seconds.

        Raises:
            StoreError: the database cannot be heard any more.
        """
        ...

    def close(self) -> None:
        """Hear no more."""
        ...


class SqliteBell:
    """Asks SQLite's own counter of changes.

    Parameters:
        file: the database.
    """

    def __init__(self, file: str) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._heard = self._version()

    def wait(self, seconds: float) -> bool:
        """As of `Bell`."""
        ends = time.monotonic() + seconds
        while (version := self._version()) == self._heard:
            left = ends - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(POLL, left))
        self._heard = version
        return True

    def close(self) -> None:
        """As of `Bell`."""
        self._connection.close()

    def _version(self) -> int:
        with _explained(sqlite3.Error):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresBell:
    """Listens for what every write of ours notifies.

    Parameters:
        connection: of its own.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._driver.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float) -> bool:
        """As of `Bell`."""
        with _explained(self._connection.dialect.loaded_dbapi.Error):
            waiting = select.poll()
            waiting.register(self._driver.fileno(), select.POLLIN)
            if not waiting.poll(max(seconds, 0) * 1000):
                return False
            # All that has come is taken: one look at what is due answers all of it.
            self._driver.pgconn.consume_input()
            while self._driver.pgconn.notifies() is not None:
                pass
            return True

    def close(self) -> None:
        """As of `Bell`."""
        self._connection.close()
        self._connection.engine.dispose()


@contextmanager
def _explained(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind as error:
        said = str(error).strip().partition("\n")[0]
        raise StoreError(f"the database can be heard no more: {said}", hint="is its server running?") from error
