"""One worker a pipeline: whoever holds this lock may take over what a dead worker left."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from herodeploy.engine import place
from herodeploy.errors import Busy, StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa


class WorkerLock:
    """Exclusive for one pipeline across processes; gone with the process, however that ends.

    Parameters:
        where: herodeploy's own folder or the SQLite address of its store (a file lock), or a PostgreSQL
            address (an advisory lock).
        pipeline_id: whose work it guards.
    """

    def __init__(self, where: Path | str, pipeline_id: str) -> None:
        self._pipeline_id = pipeline_id
        self._lock: _Lock
        if place.is_postgres(where):
            self._lock = _AdvisoryLock(str(where), pipeline_id)
        else:
            self._lock = _FileLock(place.folder(where) / f"{place.file_stem(pipeline_id)}.lock")

    def acquire(self) -> None:
        """Take the lock, without waiting.

        Raises:
            Busy: another process has it; the message tells which.
            StoreError: the folder or the database cannot be used.
        """
        if not self._lock.take():
            holder = self._lock.holder()
            raise Busy(
                f"another herodeploy{f' ({holder})' if holder else ''} works on this pipeline",
                hint="wait for it to end or stop it with Ctrl-C; it can be picked up again with: herodeploy resume",
            )

    def check(self) -> None:
        """Make sure that the lock is still ours, as before each act.

        Raises:
            Busy: the database has dropped it, and another worker may have taken over.
        """
        if not self._lock.held():
            raise Busy(
                "the lock on this pipeline was lost together with the connection to the database",
                hint="pick the delivery up again: herodeploy resume",
            )

    def release(self) -> None:
        """Give the lock back."""
        self._lock.drop()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class _Lock(Protocol):
    def take(self) -> bool: ...
    def holder(self) -> str | None: ...
    def held(self) -> bool: ...
    def drop(self) -> None: ...


class _FileLock:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._fd: int | None = None

    def take(self) -> bool:
        try:
            fd = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise place.unusable(self._file, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd
        return True

    def holder(self) -> str | None:
        with suppress(OSError, ValueError):
            return f"process {int(self._file.read_text())}"
        return None

    def held(self) -> bool:
        return self._fd is not None

    def drop(self) -> None:
        # The file stays: removing it would let two processes lock two files of one name.
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class _AdvisoryLock:
    """Held by one connection that does nothing else. Needs sessions, not a transaction-pooling proxy."""

    def __init__(self, url: str, pipeline_id: str) -> None:
        self._url = place.postgres(url)
        digest = hashlib.blake2b(f"herodeploy worker {pipeline_id}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "big", signed=True)
        self._connection: sa.Connection | None = None

    def take(self) -> bool:
        import sqlalchemy as sa

        self.drop()
        me = f"herodeploy {os.getpid()}@{socket.gethostname()}"[:63]
        engine = sa.create_engine(
            self._url,
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"application_name": me, "connect_timeout": 10},
        )
        try:
            self._connection = engine.connect()
            taken = bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._key))))
        except sa.exc.SQLAlchemyError as error:
            self.drop()
            raise StoreError(
                f"no worker lock from the database: {place.first_line(error)}", hint="check HERODEPLOY_DATABASE_URL"
            ) from error
        return taken

    def holder(self) -> str | None:
        import sqlalchemy as sa

        if self._connection is None:
            return None
        query = sa.text(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND ((l.classid::bigint << 32) | l.objid::bigint) = :key"
        )
        name = self._connection.execute(query, {"key": self._key}).scalar()
        self.drop()
        return str(name).replace("herodeploy ", "process ", 1) if name else None

    def held(self) -> bool:
        import sqlalchemy as sa

        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection.engine.dispose()
            self._connection = None
