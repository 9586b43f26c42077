"""One request to one dyno, on a connection of its own: a reused one may have been closed just now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import h11

from herodeploy.local import ports
from herodeploy.local.router.request import Headers, Request, homeward

CHUNK = 64 * 1024
LARGEST_HEAD = 128 * 1024


class NoResponse(Exception):
    """The dyno closed the connection before it answered."""


class Malformed(Exception):
    """What the dyno sent is no HTTP."""


class Cut(Exception):
    """The dyno closed the connection in the middle of its answer."""


class Upstream:
    """A connection to a dyno; `on_sent` is called whenever the dyno took a piece of the body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self.on_sent: Callable[[], None] | None = None

    @classmethod
    async def connect(cls, port: int, timeout: float) -> Upstream:
        """Connect to a dyno.

        Raises:
            TimeoutError: not accepted in time.
            OSError: refused.
        """
        async with asyncio.timeout(timeout):
            return cls(*await asyncio.open_connection(ports.HOST, port, limit=CHUNK))

    def begin(self, request: Request) -> None:
        """Send the head of the request.

        Raises:
            h11.LocalProtocolError: it is not fit to be passed on.
        """
        head = h11.Request(method=request.method, target=request.target, headers=request.onward())
        self._write(self._http.send(head))

    async def send(self, body: bytes, *, last: bool) -> None:
        """Send a piece of the body.

        Raises:
            OSError, h11.LocalProtocolError: the dyno takes no more.
        """
        if body:
            self._write(self._http.send(h11.Data(data=body)))
        if last:
            self._write(self._http.send(h11.EndOfMessage()))
        await self._writer.drain()
        if self.on_sent is not None:
            self.on_sent()

    async def response(self) -> tuple[int, Headers]:
        """Return status and headers of the answer.

        Raises:
            NoResponse, Malformed: there was none.
        """
        while True:
            try:
                event = await self._event()
            except OSError:
                raise NoResponse from None
            if isinstance(event, h11.Response):
                return event.status_code, homeward(event.headers)
            if not isinstance(event, h11.InformationalResponse):
                raise Malformed(repr(event))

    async def read(self) -> bytes:
        """Return the next piece of the answer's body; nothing at its end.

        Raises:
            Cut: it ended too early.
        """
        try:
            event = await self._event()
        except (OSError, Malformed):
            raise Cut from None
        return bytes(event.data) if isinstance(event, h11.Data) else b""

    def close(self) -> None:
        """Drop the connection."""
        self._writer.close()

    def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)

    async def _event(self) -> object:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(CHUNK)
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise NoResponse
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise Malformed(str(error)) from None
        return event
