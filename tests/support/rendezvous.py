"""Whoever attaches to a dyno, by the rendezvous protocol as the Heroku CLI speaks it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
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


def until(secure: ssl.SSLSocket, text: bytes) -> bytes:
    said = b""
    while text not in said:
        more = secure.recv(65536)
        assert more, said
        said += more
    return said
