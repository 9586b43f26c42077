"""Heroku's rendezvous: a dyno waits for whoever has its secret, and then both talk over one TLS connection.

The client sends the secret as its first line; the first thing that it gets tells that the dyno is there and is shown to
nobody. Everything after that is the dyno's input and output.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from herodeploy.local.process import process

TERMINAL = Path(__file__).with_name("terminal.py")
GREETING = b"rendezvous\r\n"
END_OF_INPUT = b"\x04"
"""What the Heroku CLI sends where its own input ends; a terminal understands that by itself."""
MARK = "\uffff".encode()
"""Begins the line with the exit status, which the CLI must get in one piece."""
BEGUN = (MARK[:2], MARK[:1], b"\r")
"""What is not passed on at the end of a piece, until it is known what follows."""
CHUNK = 16 * 1024


class NobodyCame(Exception):
    """A dyno waited for somebody to attach in vain."""


class Attachment:
    """One dyno and whoever attaches to it.

    Parameters:
        terminal: lines and columns of the terminal that the dyno gets, 0 for unknown; None for no terminal.
        patience: seconds that the dyno waits for somebody.
    """

    def __init__(self, terminal: tuple[int, int] | None, patience: float) -> None:
        self.secret = secrets.token_hex(24)
        self._terminal = terminal
        self._patience = patience
        self._visitor: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
        self._over = asyncio.Event()
        self._talk: asyncio.Task[None] | None = None

    async def come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Attach a connection; returns when there is nothing more to say."""
        if not self._visitor.done():
            self._visitor.set_result((reader, writer))
            await self._over.wait()

    def when_met(self, react: Callable[[], object]) -> None:
        """Have something called once somebody has come, or nobody will any more."""
        self._visitor.add_done_callback(lambda _: react())

    async def start(self, command: process.Command, output: Callable[[str], None]) -> process.Process:
        """Wait for somebody, then start a command whose input and output are theirs.

        Parameters:
            output: gets what goes wrong before the command is there.

        Raises:
            NobodyCame: in time.
            OSError: no process could be started.
        """
        try:
            reader, writer = await asyncio.wait_for(asyncio.shield(self._visitor), self._patience)
        except TimeoutError:
            raise NobodyCame("Failed to attach to process") from None
        ours, its = socket.socketpair()
        with its:
            try:
                wired = replace(command, argv=self._argv(command, its.fileno()), fds=(its.fileno(),))
                running = await process.start(wired, output)
            except BaseException:
                ours.close()
                raise
        self._talk = asyncio.create_task(self._converse(ours, reader, writer))
        return running

    async def close(self) -> None:
        """Pass on what the command said last, and hang up."""
        self._visitor.cancel()
        if self._talk is not None:
            await asyncio.wait({self._talk}, timeout=5)
            self._talk.cancel()
        self._over.set()

    def _argv(self, command: process.Command, fd: int) -> list[str]:
        if self._terminal is None:
            return process.wired(command.argv, fd, errors=True)
        words = map(str, (TERMINAL, fd, *self._terminal))
        return [process.PYTHON, "-I", "-S", *words, *command.argv]

    async def _converse(self, ours: socket.socket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source, sink = await asyncio.open_connection(sock=ours)
        going = asyncio.create_task(self._inward(reader, sink))
        try:
            with suppress(OSError, ssl.SSLError):
                writer.write(GREETING)
                await writer.drain()
                await _outward(source, writer)
        finally:
            going.cancel()
            await asyncio.wait({going})
            sink.close()
            self._over.set()

    async def _inward(self, reader: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError):
            while chunk := await reader.read(CHUNK):
                ends = self._terminal is None and chunk.endswith(END_OF_INPUT)
                sink.write(chunk.removesuffix(END_OF_INPUT) if ends else chunk)
                await sink.drain()
                if ends:
                    sink.write_eof()
            sink.close()


class Attachments:
    """The dynos of a platform that wait for somebody to attach."""

    def __init__(self) -> None:
        self._waiting: dict[str, Attachment] = {}

    def expect(self, attachment: Attachment) -> None:
        """Let whoever has its secret attach, once and as long as it waits."""
        self._waiting[attachment.secret] = attachment
        attachment.when_met(lambda: self._waiting.pop(attachment.secret, None))

    async def visit(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect somebody with the dyno whose secret is the first line; hang up where there is none."""
        secret = first.strip().partition(b"?")[0].decode(errors="replace")
        attachment = self._waiting.get(secret)
        if attachment is not None:
            await attachment.come(reader, writer)


async def _outward(source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass output on as it comes, but the line with the exit status as a whole."""
    rest = b""
    while chunk := await source.read(CHUNK):
        now, rest = _whole(rest + chunk)
        for piece in now:
            writer.write(piece)
            await writer.drain()
    if rest:
        writer.write(rest)
        await writer.drain()


def _whole(text: bytes) -> tuple[list[bytes], bytes]:
    """Return what can go now, the marked line as a piece of its own, and what has to wait for the rest of its line.

    The end of a line goes as a whole, too: the CLI turns it into another one, but not where it comes in two pieces.
    """
    mark = text.find(MARK)
    if mark < 0:
        kept = next((len(begun) for begun in BEGUN if text.endswith(begun)), 0)
        return [text[: len(text) - kept]] if len(text) > kept else [], text[len(text) - kept :]
    end = text.find(b"\n", mark)
    if end < 0:
        return [text[:mark]] if mark else [], text[mark:]
    pieces = [text[:mark], text[mark : end + 1]]
    return [piece for piece in pieces if piece] + ([text[end + 1 :]] if text[end + 1 :] else []), b""
