"""Output streams of builds, release phases and tests: kept in a file, replayed and followed over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from herodeploy.local import disk

CHUNK = 64 * 1024


class Streams:
    """All output streams of a platform; one that no one writes any more is simply a file.

    Parameters:
        folder: where the files lie.
        base_url: of the platform, for `url`.
        heartbeat: seconds between the NUL bytes that keep a quiet stream open.
    """

    def __init__(self, folder: Path, base_url: str, heartbeat: float = 20) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._base_url = base_url
        self._heartbeat = heartbeat
        self._open: dict[str, asyncio.Event] = {}

    def create(self) -> str:
        """Open a new stream and return its id, which no one can guess."""
        key = secrets.token_hex(24)
        self._path(key).touch()
        self._open[key] = asyncio.Event()
        return key

    def write(self, key: str, text: str) -> None:
        """Add a line (its end is added where missing); a full disk loses the line, not the build."""
        line = text if text.endswith("\n") else text + "\n"
        try:
            with self._path(key).open("ab") as file:
                file.write(line.encode(errors="replace"))
        except OSError as problem:
            if not disk.is_full(problem):
                raise
        self._wake(key)

    def close(self, key: str) -> None:
        """End a stream: its readers get what is left, then the end."""
        event = self._open.pop(key, None)
        if event is not None:
            event.set()

    def close_all(self) -> None:
        """End every stream: the platform stops."""
        for key in list(self._open):
            self.close(key)

    def forget(self, key: str) -> None:
        """Delete a stream."""
        self.close(key)
        self._path(key).unlink(missing_ok=True)

    def url(self, key: str) -> str:
        """Return the address of a stream; it needs no token."""
        return f"{self._base_url}/streams/{key}"

    def secure_url(self, key: str) -> str:
        """Return its address by https, for clients that want no other."""
        return self.url(key).replace("http://", "https://", 1)

    def text(self, key: str) -> str:
        """Return everything written so far."""
        return self._path(key).read_text(errors="replace") if self.exists(key) else ""

    def exists(self, key: str) -> bool:
        """Tell whether there is such a stream."""
        return key.isalnum() and self._path(key).exists()

    def size(self, key: str) -> int:
        """Return the bytes written so far."""
        return self._path(key).stat().st_size

    async def follow(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """Yield the bytes from ``start`` on as they come, until the stream ends; ``b""`` is a heartbeat."""
        position = start
        while True:
            event = self._open.get(key)
            while chunk := self._chunk(key, position):
                position += len(chunk)
                yield chunk
            if event is None:
                return
            if not event.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), self._heartbeat)
                if not event.is_set():
                    yield b""

    def _wake(self, key: str) -> None:
        event = self._open.get(key)
        if event is not None:
            self._open[key] = asyncio.Event()
            event.set()

    def _chunk(self, key: str, position: int) -> bytes:
        with self._path(key).open("rb") as file:
            file.seek(position)
            return file.read(CHUNK)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.log"
