"""git's own HTTP backend, a CGI program, one process a request, under the guard."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from herodeploy.local.git import repositories
from herodeploy.local.process import process

log = logging.getLogger(__name__)

CHUNK = 64 * 1024
GRACE = 2.0


@dataclass(frozen=True)
class Talk:
    """A running backend: its input and its output."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def head(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Return the status and the headers that it answers with.

        Raises:
            OSError: it ended before it had answered.
        """
        status, headers = 200, []
        while line := (await self.reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        if not headers:
            raise OSError("git http-backend did not answer; is git complete on this machine?")
        return status, headers

    async def body(self) -> AsyncIterator[bytes]:
        """Yield what follows the headers."""
        while chunk := await self.reader.read(CHUNK):
            yield chunk


@asynccontextmanager
async def talk(folder: Path, request: Mapping[str, str]) -> AsyncIterator[Talk]:
    """Run the backend for one request; it is stopped where it still runs at the end.

    Parameters:
        folder: that all repositories lie in.
        request: CGI variables.

    Raises:
        OSError: no process could be started.
    """
    ours, its = socket.socketpair()
    with its:
        try:
            running = await _start(folder, request, its)
        except BaseException:
            ours.close()
            raise
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        await running.stop(GRACE)


async def _start(folder: Path, request: Mapping[str, str], its: socket.socket) -> process.Process:
    fixed = {"GIT_PROJECT_ROOT": str(folder), "GIT_HTTP_EXPORT_ALL": "1"}
    env = process.clean_env({**repositories.settings(), **request, **fixed})
    argv = process.wired(["git", "http-backend"], its.fileno())
    return await process.start(process.Command(argv, folder, env, fds=(its.fileno(),)), _told)


def _told(line: str) -> None:
    log.warning("git http-backend: %s", line)
