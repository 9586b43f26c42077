"""The other things that the platform's one port understands: TLS, and CONNECT to what stands in for GitHub.

A connection that begins with neither stays with the HTTP server and costs it one comparison. Inside TLS is either HTTP,
which goes on to the same port in the clear, or the secret of an attached dyno.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from herodeploy.local import ports
from herodeploy.local.tls import certificates
from herodeploy.local.tls.certificates import GITHUB, KOLKRABBI

log = logging.getLogger(__name__)

HELLO = b"\x16"
"""What every TLS connection begins with."""
CONNECT = b"CONNECT "
LEADS_TO = (KOLKRABBI, GITHUB)
CHUNK = 64 * 1024
PATIENCE = 30
"""Seconds that a client has to say what it wants."""
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
ONLY = f"This proxy of herodeploy's local platform leads to {' and '.join(LEADS_TO)} and nowhere else.\n"

Visitor = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_HTTP = re.compile(rb"[A-Z]+ \S+ HTTP/1\.[01]\r\n")


class Doors:
    """Serves what comes in by TLS or CONNECT, once `open` was called.

    Parameters:
        folder: of the certificates.
        port: of the HTTP server.
        attach: gets a TLS connection that is no HTTP, with its first line.
    """

    def __init__(self, folder: Path, port: int, attach: Visitor) -> None:
        self._folder = folder
        self._port = port
        self._attach = attach
        self._inner: asyncio.Server | None = None
        self._inner_port = 0
        self._turn = asyncio.Lock()
        self._visits: set[asyncio.Task[Any]] = set()

    @property
    def are_open(self) -> bool:
        """Whether TLS is spoken."""
        return self._inner is not None

    async def open(self) -> Path:
        """Speak TLS from now on; return the certificate that clients must trust.

        Raises:
            TlsUnavailable: no certificates can be made here.
            OSError: they cannot be written.
        """
        async with self._turn:
            material = await asyncio.to_thread(certificates.ensure, self._folder)
            if self._inner is None:
                sock = ports.listen()
                self._inner_port = sock.getsockname()[1]
                self._inner = await asyncio.start_server(self._secure, sock=sock, ssl=material.context())
        return material.authority

    async def reopen(self) -> None:
        """Speak TLS where that was asked for in an earlier life."""
        if certificates.Material(self._folder).is_there:
            try:
                await self.open()
            except (certificates.TlsUnavailable, ImportError, OSError, ValueError) as problem:
                log.warning("TLS cannot be spoken: %s", problem)

    async def close(self) -> None:
        """End every connection."""
        if self._inner is not None:
            self._inner.close()
            self._inner = None
        for task in list(self._visits):
            task.cancel()
        if self._visits:
            await asyncio.wait(list(self._visits))

    async def welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to the platform's port that did not begin as HTTP."""
        await self._visit(writer, self._welcome(reader, writer))

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(CHUNK)
        if self._inner is None:
            return
        if first.startswith(HELLO):
            await _relay(first, reader, writer, self._inner_port)
            return
        head = first
        async with asyncio.timeout(PATIENCE):
            while b"\r\n\r\n" not in head and len(head) < CHUNK and (more := await reader.read(CHUNK)):
                head += more
        host = head.removeprefix(CONNECT).split(b" ")[0].rpartition(b":")[0].decode(errors="replace")
        if host.lower() not in LEADS_TO:
            writer.write(REFUSED % (len(ONLY), ONLY.encode()))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _relay(head.partition(b"\r\n\r\n")[2], reader, writer, self._inner_port)

    async def _secure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._visit(writer, self._inside(reader, writer))

    async def _inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await asyncio.wait_for(reader.readline(), PATIENCE)
        if _HTTP.fullmatch(first):
            await _relay(first, reader, writer, self._port)
        elif first:
            await self._attach(first, reader, writer)

    async def _visit(self, writer: asyncio.StreamWriter, work: Any) -> None:
        """Do something with a connection and close it; what breaks off, breaks off."""
        task = asyncio.ensure_future(work)
        self._visits.add(task)
        try:
            with suppress(OSError, ValueError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
                await task
        finally:
            self._visits.discard(task)
            writer.close()


async def _relay(first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Pass everything on to a port of this machine, and back, until that side has said all."""
    there, back = await asyncio.open_connection(ports.HOST, port)
    back.write(first)
    going = asyncio.create_task(_pump(reader, back))
    try:
        await _pump(there, writer)
    finally:
        going.cancel()
        await asyncio.wait({going})
        back.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


def beside(base: Any, doors: Doors) -> Any:
    """Return a protocol class of uvicorn's that gives away connections which begin with TLS or CONNECT."""

    class Sorting(base):  # type: ignore[misc] # whichever the server uses
        began = False

        def data_received(self, data: bytes) -> None:
            if not self.began and data.startswith((HELLO, CONNECT)):
                self.connections.discard(self)
                _give_away(self.transport, doors, data)
                return
            self.began = True
            super().data_received(data)

    return Sorting


def _give_away(transport: asyncio.Transport, doors: Doors, data: bytes) -> None:
    """Serve a connection as a stream from now on, from what was read of it already."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, doors.welcome, loop=loop)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    reader.feed_data(data)
