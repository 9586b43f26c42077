"""A lock that PostgreSQL keeps for as long as its holder shows signs of life.

The holder's connection does nothing else and beats: it asks something every few seconds. Killed, the holder's
connection ends and so does the lock. Frozen, or on a machine that is gone, it stops beating: a rival that finds no beat
for as long as a lease has the server end that connection, and takes the lock. A holder that wakes up after such a time
ends itself before it does anything else, as somebody else may be at work.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from herodeploy.engine import place
from herodeploy.errors import ExitCode, StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

ENV = "HERODEPLOY_LEASE"
LEASE = 30.0
SHORTEST = 2.0
# Counts the time that the machine sleeps, too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_HOLDER = (
    "FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND ((l.classid::bigint << 32) | l.objid::bigint) = :key"
)
_SILENT = " AND a.usename = current_user AND a.state_change < now() - make_interval(secs => :lease)"
ENDED_WITHIN = 5.0
NOTICED_WITHIN = 0.5
"""Seconds within which the server notices that a connection is gone."""
LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's SQLSTATE where a lock did not come in time."""


def lease() -> float:
    """Return the seconds without a sign of life after which a holder may be replaced; all that share a database agree.

    Raises:
        StoreError: the environment names none.
    """
    said = os.environ.get(ENV) or str(LEASE)
    try:
        return max(float(said), SHORTEST)
    except ValueError:
        raise StoreError(f"{ENV} is no number of seconds: {said}", hint=f"for example {ENV}=30") from None


class AdvisoryLock:
    """Needs sessions, not a transaction-pooling proxy.

    Parameters:
        url: of the database.
        name: of the lock in it.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = place.postgres(url)
        digest = hashlib.blake2b(f"herodeploy {name}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "big", signed=True)
        self._lease = lease()
        self._connection: sa.Connection | None = None
        self._guard = threading.Lock()
        self._beating: _Beating | None = None

    def take(self) -> bool:
        """Take the lock, from a holder that gives no sign of life, too; whether it is ours now.

        A holder that has just ended may have it a moment longer, until the server notices that its connection is gone.
        """
        return self._taken(lambda: self._come(NOTICED_WITHIN) or (self._end_silent() and self._come(ENDED_WITHIN)))

    def wait(self, seconds: float) -> bool:
        """Take it within so many seconds, in the order in which others came; whether it is ours then."""
        ends = time.monotonic() + seconds

        def come() -> bool:
            while not (came := self._come(min(self._lease / 2, max(ends - time.monotonic(), 0.001)))):
                self._end_silent()
                if time.monotonic() >= ends:
                    break
            return came

        return self._taken(come)

    def _taken(self, come: Callable[[], bool]) -> bool:
        import sqlalchemy as sa

        self.drop()
        try:
            self._connection = self._connect()
            taken = come()
        except sa.exc.SQLAlchemyError as error:
            self.drop()
            raise _unusable(error) from error
        except BaseException:
            self.drop()
            raise
        if not taken:
            self.drop()
            return False
        self._beating = _Beating(self.held, self._lease)
        return True

    def holder(self) -> str | None:
        """Return who has it."""
        import sqlalchemy as sa

        try:
            connection = self._connect()
            try:
                row = connection.execute(sa.text(f"SELECT a.application_name {_HOLDER}"), {"key": self._key}).first()
            finally:
                _close(connection)
        except sa.exc.SQLAlchemyError as error:
            raise _unusable(error) from error
        return None if row is None else str(row[0] or "another process").replace("herodeploy ", "process ", 1)

    def held(self) -> bool:
        """Whether the server still keeps it for us."""
        import sqlalchemy as sa

        with self._guard:
            if self._connection is None:
                return False
            try:
                self._connection.execute(sa.text("SELECT 1"))
            except sa.exc.SQLAlchemyError:
                return False
            return True

    def drop(self) -> None:
        """Give it back."""
        if self._beating is not None:
            self._beating.stop()
            self._beating = None
        with self._guard:
            if self._connection is not None:
                _let_go(self._connection)
                self._connection = None

    def _connect(self) -> sa.Connection:
        import sqlalchemy as sa

        engine = sa.create_engine(
            self._url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={
                "application_name": f"herodeploy {os.getpid()}@{socket.gethostname()}"[:63],
                "connect_timeout": 10,
                # What hangs on a network that is gone fails in time to be noticed.
                "tcp_user_timeout": int(self._lease * 500),
            },
        )
        return engine.connect()

    def _come(self, seconds: float) -> bool:
        """Queue for the lock in the server, for so long."""
        import sqlalchemy as sa

        assert self._connection is not None  # noqa: S101 - for the type checker
        self._connection.execute(sa.text(f"SET lock_timeout = {max(1, round(seconds * 1000))}"))
        try:
            self._connection.execute(sa.select(sa.func.pg_advisory_lock(self._key)))
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            return False
        self._connection.execute(sa.text("SET lock_timeout = 0"))
        return True

    def _end_silent(self) -> bool:
        """Have the server end a holder that gives no sign of life; whether there was one."""
        import sqlalchemy as sa

        assert self._connection is not None  # noqa: S101 - for the type checker
        query = sa.text(f"SELECT pg_terminate_backend(a.pid) {_HOLDER}{_SILENT}")
        return bool(self._connection.execute(query, {"key": self._key, "lease": self._lease}).all())


class _Beating:
    """Shows signs of life from a thread of its own, and ends the process when there were none for too long."""

    def __init__(self, beat: Callable[[], bool], lease: float) -> None:
        self._beat = beat
        self._lease = lease
        self._stopped = threading.Event()
        self._last = time.clock_gettime(_CLOCK)
        self._thread = threading.Thread(target=self._run, name="sign of life", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._lease / 6):
            self._check()
            if not self._beat():
                # The server has dropped the lock; whoever acts next asks, and is told.
                return
            self._check()
            self._last = time.clock_gettime(_CLOCK)

    def _check(self) -> None:
        silent = time.clock_gettime(_CLOCK) - self._last
        if silent > self._lease * 0.75 and not self._stopped.is_set():
            _end_process(silent)


def _end_process(silent: float) -> NoReturn:
    text = (
        f"Error: this herodeploy stood still for {silent:.0f} seconds; another one may be in its place, so it ends\n"
        "  -> carry on what is open: herodeploy resume\n"
    )
    os.write(2, text.encode())
    os._exit(ExitCode.PLATFORM)


def _let_go(connection: sa.Connection) -> None:
    """Give back what a session has, now: the server notices the end of a connection only a moment later."""
    import sqlalchemy as sa

    with suppress(sa.exc.SQLAlchemyError):
        connection.execute(sa.select(sa.func.pg_advisory_unlock_all()))
    _close(connection)


def _close(connection: sa.Connection) -> None:
    connection.close()
    connection.engine.dispose()


def _unusable(error: Exception) -> StoreError:
    said = f"no worker lock from the database: {place.first_line(error)}"
    return StoreError(said, hint="check HERODEPLOY_DATABASE_URL")
