"""Whoever attaches to a dyno, by the rendezvous protocol as the Heroku CLI speaks it."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

GREETING = b"rendezvous\r\n"


@contextmanager
def attached(local: Any, url: str) -> Iterator[ssl.SSLSocket]:
    """Attach by TLS, trusting the platform's authority alone."""
    place = urlsplit(url)
    context = ssl.create_default_context(cafile=str(local.data / "tls" / "ca.pem"))
    with (
        socket.create_connection((place.hostname, place.port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=place.hostname) as secure,
    ):
        secure.sendall(place.path[1:].encode() + b"\r\n")
        yield secure


def rest(secure: ssl.SSLSocket) -> bytes:
    """Return all that comes until the end."""
    said = b""
    while more := secure.recv(65536):
        said += more
    return said


def exchange(secure: ssl.SSLSocket, text: bytes, within: float = 60) -> bytes:
    """Send while receiving; return all that comes until the end.

    One thread does both: before Python 3.13 two threads must not use one TLS connection at once.
    """
    said, left = b"", memoryview(text)
    secure.setblocking(False)
    ready = select.poll()
    while True:
        ready.register(secure, select.POLLIN | (select.POLLOUT if left else 0))
        assert ready.poll(within * 1000), f"nothing moves, {len(left)} bytes left to send; said: {said[-200:]!r}"
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while left:
                left = left[secure.send(left) :]
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while more := secure.recv(65536):
                said += more
            return said


def until(secure: ssl.SSLSocket, text: bytes) -> bytes:
    said = b""
    while text not in said:
        more = secure.recv(65536)
        assert more, said
        said += more
    return said
