"""The door of a PostgreSQL that was built without TLS: clients that ask for TLS get it, others pass as they are.

Started as ``python -I -S door.py PORT SERVER CERTIFICATE KEY``; it listens on 127.0.0.1:PORT, passes everything on to
127.0.0.1:SERVER, and says so. A process of its own, so that bulk data never holds up the platform's API.
Standard library only.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

HOST = "127.0.0.1"
OPEN = "the door is open"
WANTS_TLS = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
WANTS_GSS = (8).to_bytes(4, "big") + (80877104).to_bytes(4, "big")
"""What a client may send before anything else (PostgreSQL's protocol, "SSL Session Encryption")."""


class Side(asyncio.Protocol):
    """One end of a connection; what comes in here goes out at the other end."""

    def __init__(self, other: asyncio.Transport | None = None) -> None:
        self.transport: asyncio.Transport | None = None
        self.other = other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 # for the type checker
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self.other is not None:
            self.other.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncio passes it
        """Let the other end go, too."""
        if self.other is not None:
            self.other.close()

    def pause_writing(self) -> None:
        """Take nothing more from the other end while this one does not keep up."""
        if self.other is not None and not self.other.is_closing():
            self.other.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self.other is not None and not self.other.is_closing():
            self.other.resume_reading()


class Client(Side):
    """A client until its first word is known, then the one side of a connection.

    Parameters:
        server: the port to pass everything on to.
    """

    def __init__(self, server: int, context: ssl.SSLContext) -> None:
        super().__init__()
        self._server = server
        self._context = context
        self._early = b""
        self._work: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Collect the first word."""
        if self.other is not None:
            self.other.write(data)
            return
        self._early += data
        if len(self._early) >= 8 and self._work is None:
            self._work = asyncio.create_task(self._begin())

    async def _begin(self) -> None:
        assert self.transport is not None  # noqa: S101 # for the type checker
        try:
            if self._early == WANTS_GSS:
                self._early = b""
                self.transport.write(b"N")
            elif self._early == WANTS_TLS:
                self._early = b""
                await self._secure(self.transport)
            else:
                await self._connect(self.transport)
        except (OSError, RuntimeError):  # the client went in the middle
            self.transport.close()
        finally:
            self._work = None
        if len(self._early) >= 8 and self.other is None:
            self._work = asyncio.create_task(self._begin())

    async def _secure(self, plain: asyncio.Transport) -> None:
        plain.pause_reading()
        plain.write(b"S")
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(plain, self, self._context, server_side=True)
        if secured is None:  # the client went in the middle
            raise ConnectionAbortedError
        self.transport = secured

    async def _connect(self, client: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        server, _ = await loop.create_connection(lambda: Side(client), HOST, self._server)
        server.write(self._early)
        self._early = b""
        self.other = server
        if client.is_closing():
            server.close()


async def main() -> None:
    """Serve until the end of the process."""
    port, server = int(sys.argv[1]), int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Client(server, context), HOST, port)
    print(OPEN, flush=True)  # noqa: T201 # whoever started it waits for that
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
