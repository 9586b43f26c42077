"""Output streams of builds, release phases and test runs: text that grows until it ends."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import requests

from herodeploy.errors import NotFound, PlatformError, PlatformUnreachable
from herodeploy.heroku.failures import refusal, translate

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

Sink = Callable[[str], None]

NOT_THERE_YET = 100
"""How often a 404 is asked again, a second apart: a fresh release's stream appears late."""
FRUITLESS = 8
"""Cuts in a row, without one new byte between them, after which a stream is given up."""


def follow(session: Session, url: str, sink: Sink) -> None:
    """Hand each line of a stream to `sink` until the stream ends.

    A cut stream is taken up again at the byte where it was cut. Heartbeats (NUL bytes) are no content.
    """
    lines = _Lines(sink)
    position, fruitless = 0, 0
    while True:
        before = position
        try:
            for chunk in _content(session, url, position):
                position += len(chunk)
                lines.feed(chunk)
            break
        except _Cut as cut:
            fruitless = 0 if position > before else fruitless + 1
            if fruitless >= FRUITLESS:
                raise PlatformUnreachable(*cut.error.args, hint=cut.error.hint) from None
            session.sleep(min(0.2 * 2**fruitless, 6.4))
    lines.end()


def read_to_end(session: Session, url: str, sink: Sink) -> None:
    """Hand each line to `sink` until the other side ends it, without taking it up again: for log sessions."""
    lines = _Lines(sink)
    try:
        for chunk in _content(session, url, 0):
            lines.feed(chunk)
    except _Cut as cut:
        raise cut.error from None
    finally:
        lines.end()


class _Cut(Exception):
    def __init__(self, error: PlatformError) -> None:
        super().__init__(str(error))
        self.error = error


def _content(session: Session, url: str, position: int) -> Iterator[bytes]:
    """Yield the stream's bytes from `position` on, without heartbeats."""
    with _opened(session, url, position) as response:
        if response.status_code == 416:
            return
        # A server that knows no ranges starts over: what was seen already is passed over.
        skip = position if response.status_code == 200 else 0
        for raw in _chunks(response, url):
            chunk = raw.replace(b"\0", b"")
            skipped = min(skip, len(chunk))
            skip -= skipped
            if chunk[skipped:]:
                yield chunk[skipped:]


def _opened(session: Session, url: str, position: int) -> requests.Response:
    for _ in range(NOT_THERE_YET):
        response = session.stream(url, offset=position, tolerate=(404, 416))
        if response.status_code != 404:
            return response
        response.close()
        session.sleep(1.0)
    with response:
        error = refusal(response, "GET", url)
    raise NotFound(
        "the output stream did not appear",
        status=404,
        request_id=error.request_id,
        hint="its end can still be waited for",
    )


def _chunks(response: requests.Response, url: str) -> Iterator[bytes]:
    # None means each chunk as it comes, which only the chunked encoding can tell; else that would wait for the end.
    size = None if getattr(response.raw, "chunked", False) else 8192
    try:
        yield from response.iter_content(size)
    except requests.exceptions.RequestException as error:
        ours = translate(error, "GET", url)
        raise _Cut(ours if isinstance(ours, PlatformError) else PlatformError("the stream was cut")) from None


class _Lines:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> None:
        *complete, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        for line in complete:
            self._sink(line.rstrip("\r"))

    def end(self) -> None:
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        if rest:
            self._sink(rest.rstrip("\r"))
