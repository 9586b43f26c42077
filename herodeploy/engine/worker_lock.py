"""One worker a pipeline: whoever holds this lock may take over what a dead worker left."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from herodeploy.engine import place
from herodeploy.errors import Busy, StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

LOCK_NOT_AVAILABLE = "55P03"
"""PostgreSQL's SQLSTATE where a lock did not come in time."""


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

    def acquire(self, within: timedelta | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        """Take the lock.

        Parameters:
            within: how long to wait for it; None does not wait.
            tell: is told who has it, once, before the waiting begins.

        Raises:
            Busy: another process has it; the message tells which.
            StoreError: the folder or the database cannot be used.
        """
        if self._lock.take():
            return
        holder = self._lock.holder()
        busy = f"another herodeploy{f' ({holder})' if holder else ''} works on this pipeline"
        if within is not None:
            tell(busy)
            if self._lock.wait(within.total_seconds()):
                return
        hint = "wait for it to end or stop it with Ctrl-C; it can be picked up again with: herodeploy resume"
        raise Busy(busy if within is None else f"{busy}, still", hint=hint)

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
    def wait(self, seconds: float) -> bool: ...
    def holder(self) -> str | None: ...
    def held(self) -> bool: ...
    def drop(self) -> None: ...


class _FileLock:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._fd: int | None = None

    def take(self) -> bool:
        fd = self._open()
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._keep(fd)
        return True

    def wait(self, seconds: float) -> bool:
        fd = self._open()
        if not _Turn(fd).comes(seconds):
            return False
        self._keep(fd)
        return True

    def _open(self) -> int:
        try:
            return os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise place.unusable(self._file, error) from error

    def _keep(self, fd: int) -> None:
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

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


class _Turn:
    """A place in the queue for a file's lock. The system's own wait has no end, so a thread waits, and gives back what
    comes too late.

    Parameters:
        fd: the open file; closed unless its turn comes in time.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._guard = threading.Lock()
        self._came = threading.Event()
        self._too_late = False
        threading.Thread(target=self._queue, daemon=True).start()

    def comes(self, seconds: float) -> bool:
        try:
            self._came.wait(seconds)
        finally:
            with self._guard:
                self._too_late = not self._came.is_set()
        return not self._too_late

    def _queue(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with self._guard:
            if self._too_late:
                os.close(self._fd)
            else:
                self._came.set()


class _AdvisoryLock:
    """Held by one connection that does nothing else. Needs sessions, not a transaction-pooling proxy."""

    def __init__(self, url: str, pipeline_id: str) -> None:
        self._url = place.postgres(url)
        digest = hashlib.blake2b(f"herodeploy worker {pipeline_id}".encode(), digest_size=8).digest()
        self._key = int.from_bytes(digest, "big", signed=True)
        self._connection: sa.Connection | None = None

    def take(self) -> bool:
        import sqlalchemy as sa

        with self._connected() as connection:
            return bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._key))))

    def wait(self, seconds: float) -> bool:
        import sqlalchemy as sa

        with self._connected() as connection:
            connection.execute(sa.text(f"SET lock_timeout = {max(1, round(seconds * 1000))}"))
            try:
                connection.execute(sa.select(sa.func.pg_advisory_lock(self._key)))
            except sa.exc.OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                    raise
                self.drop()
                return False
            connection.execute(sa.text("SET lock_timeout = 0"))
        return True

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """Connect anew; the connection stays open, and with it what is locked by it."""
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
            yield self._connection
        except sa.exc.SQLAlchemyError as error:
            self.drop()
            raise StoreError(
                f"no worker lock from the database: {place.first_line(error)}", hint="check HERODEPLOY_DATABASE_URL"
            ) from error

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
