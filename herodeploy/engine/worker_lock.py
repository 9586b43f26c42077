"""One at a time on a pipeline: whoever holds this lock may take over what a dead one left."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from herodeploy.engine import place
from herodeploy.errors import Busy


class WorkerLock:
    """Exclusive for one pipeline across processes; gone with the process, however that ends.

    Parameters:
        where: herodeploy's own folder or the SQLite address of its store (a file lock), or a PostgreSQL
            address (an advisory lock).
        pipeline_id: whose work it guards.
        what: the *turn*, held while somebody works on the pipeline's legs, or the *post* of its standing worker,
            which is held between turns, too.
    """

    def __init__(self, where: Path | str, pipeline_id: str, what: Literal["turn", "post"] = "turn") -> None:
        self._pipeline_id = pipeline_id
        self._lock: _Lock
        if place.is_postgres(where):
            from herodeploy.engine.advisory import AdvisoryLock

            self._lock = AdvisoryLock(str(where), f"{'worker' if what == 'turn' else what} {pipeline_id}")
        else:
            suffix = ".lock" if what == "turn" else f".{what}.lock"
            self._lock = _FileLock(place.folder(where) / f"{place.file_stem(pipeline_id)}{suffix}")

    def holder(self) -> str | None:
        """Return who holds it, such as ``process 4711@host``; None where nobody does.

        Raises:
            StoreError: the folder or the database cannot be used.
        """
        return self._lock.holder()

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
        if not _locked(fd, fcntl.LOCK_EX):
            return False
        self._keep(fd)
        return True

    def wait(self, seconds: float) -> bool:
        fd = self._open()
        if not _Turn(fd).comes(seconds):
            return False
        self._keep(fd)
        return True

    def holder(self) -> str | None:
        # A shared lock finds out without being in another looker's way.
        fd = self._open()
        if _locked(fd, fcntl.LOCK_SH):
            _give_back(fd)
            return None
        with suppress(OSError, ValueError):
            return f"process {int(self._file.read_text())}"
        return "another process"

    def held(self) -> bool:
        return self._fd is not None

    def drop(self) -> None:
        # The file stays: removing it would let two processes lock two files of one name.
        if self._fd is not None:
            _give_back(self._fd)
            self._fd = None

    def _open(self) -> int:
        try:
            return os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise place.unusable(self._file, error) from error

    def _keep(self, fd: int) -> None:
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd


def _locked(fd: int, how: int) -> bool:
    """Lock an open file, or close it; which of them."""
    try:
        fcntl.flock(fd, how | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return False
    return True


def _give_back(fd: int) -> None:
    """Unlock before closing: a child that is just being started has the file open, too, until its program runs."""
    fcntl.flock(fd, fcntl.LOCK_UN)
    os.close(fd)


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
                _give_back(self._fd)
            else:
                self._came.set()
