"""Free loopback ports for dynos and apps."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

HOST = "127.0.0.1"
# Below what Linux and macOS give to outgoing connections: such a port would be taken again and again by others,
# and a client that polls it could even get connected to itself.
FIRST, LAST = 20000, 31999


def listen(port: int = 0, *, backlog: int = 512) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, on a free port of ours where none is given.

    Raises:
        OSError: the port is in use.
    """
    for candidate in [port] if port else _candidates():
        # Asyncio switches Nagle's algorithm off (40 ms an answer) only where the protocol is named.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((HOST, candidate))
            sock.listen(backlog)
        except OSError:
            sock.close()
            if port:
                raise
            continue
        if not port and _is_reserved(candidate):
            sock.close()
            continue
        sock.setblocking(False)
        return sock
    raise OSError(f"no free port between {FIRST} and {LAST}")


class Reservation:
    """A port that no platform of this user gives to anybody else until `release`, though nobody listens on it yet.

    Between the choice of a dyno's port and the moment when its app binds it lie seconds; without this, the listener of
    another platform could take it and be mistaken for the app.
    """

    def __init__(self, port: int, lock: int) -> None:
        self.port = port
        self._lock = lock

    def release(self) -> None:
        """Give the port back."""
        if self._lock >= 0:
            with contextlib.suppress(OSError):
                (_folder() / str(self.port)).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


def reserve() -> Reservation:
    """Reserve a port that nobody listens on now.

    Raises:
        OSError: there is none.
    """
    for candidate in _candidates():
        lock = _claim(candidate)
        if lock is None:
            continue
        reservation = Reservation(candidate, lock)
        if _is_free(candidate):
            return reservation
        reservation.release()
    raise OSError(f"no free port between {FIRST} and {LAST}")


def _is_reserved(port: int) -> bool:
    """Tell whether a dyno is about to bind that port."""
    lock = _claim(port)
    if lock is not None:
        Reservation(port, lock).release()
    return lock is None


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("0.0.0.0", port))  # noqa: S104 # as the app will; it does not listen
        except OSError:
            return False
    return True


def _claim(port: int) -> int | None:
    """Lock a port's file and return the lock, which ends with its holder; None where another one has it.

    Where no file can be made (a full disk), the port goes unlocked (-1): better than no dyno.
    """
    file = _folder() / str(port)
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its last holder may have removed the file between our opening and our locking it.
        if os.fstat(lock).st_ino == file.stat().st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"herodeploy-ports-{os.getuid()}"


def _candidates() -> list[int]:
    # Not the seeded generator: test runners seed it alike in processes that run side by side.
    return random.SystemRandom().sample(range(FIRST, LAST + 1), 200)
