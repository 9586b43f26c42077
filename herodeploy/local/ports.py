"""Free loopback ports for dynos and apps."""

from __future__ import annotations

import random
import socket

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
        sock.setblocking(False)
        return sock
    raise OSError(f"no free port between {FIRST} and {LAST}")


def free(besides: set[int]) -> int:
    """Return a port that nobody listens on now, none of `besides`; whoever gets it should bind it soon."""
    for candidate in _candidates():
        if candidate in besides:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("0.0.0.0", candidate))  # noqa: S104 # as the app will; it does not listen
            except OSError:
                continue
            return candidate
    raise OSError(f"no free port between {FIRST} and {LAST}")


def _candidates() -> list[int]:
    # Not the seeded generator: test runners seed it alike in processes that run side by side.
    return random.SystemRandom().sample(range(FIRST, LAST + 1), 200)
