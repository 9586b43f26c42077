"""Where source tarballs come from: uploads to this platform, or any HTTP address."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import httpx

from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

LARGEST = 1_000_000_000
KEPT = timedelta(days=7)

_OURS = re.compile(r"/blobs/sources/([0-9a-f-]{36})")


class SourceMissing(Exception):
    """A source tarball that cannot be had; the message is one sentence for people."""


def check_url(url: str) -> str:
    """Return the address of a source when it may be asked for.

    Raises:
        ApiError: 422, no http(s) address, or one with a user's name in it.
    """
    parts = split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("source_blob.url must be an http or https address of a gzipped tar archive.")
    if parts.username is not None:
        raise invalid("source_blob.url must not carry a user's name or password.")
    return url


def split(url: str) -> SplitResult | None:
    """Return the parts of an address; None for one that could never be called."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 and httpx.URL(url).host else None
    except (ValueError, httpx.InvalidURL):
        return None


async def fetch(platform: Platform, url: str, into: Path, checksum: str | None = None) -> Path:
    """Return a source tarball as a file: the upload itself, or a download inside ``into``.

    Parameters:
        checksum: ``SHA256:<hex>`` that it must have.

    Raises:
        SourceMissing: never uploaded, not reachable, too big, or of another checksum.
    """
    key = _upload(url)
    if key is not None and platform.state.sources.get(key) is not None:
        file = upload_file(platform, key)
        if not file.exists():
            raise SourceMissing("The source was never uploaded to its put_url.")
    else:
        into.mkdir(parents=True, exist_ok=True)
        file = into / "source.tgz"
        await _download(url, file)
    if checksum:
        await asyncio.to_thread(_verify, file, checksum)
    return file


def upload_file(platform: Platform, key: str) -> Path:
    """Return where an uploaded source lies."""
    return platform.settings.sources / f"{key}.tgz"


def recover(platform: Platform) -> None:
    """Forget uploads of long ago."""
    for row in platform.state.sources:
        if row.created_at < platform.now() - KEPT:
            upload_file(platform, row.id).unlink(missing_ok=True)
            platform.state.sources.delete(row.id)


def _upload(url: str) -> str | None:
    parts = urlsplit(url)
    match = _OURS.fullmatch(parts.path)
    return match[1] if match and parts.hostname in ("127.0.0.1", "localhost") else None


async def _download(url: str, file: Path) -> None:
    where = urlsplit(url).hostname
    try:
        async with httpx.AsyncClient(follow_redirects=True, timeout=30) as client, client.stream("GET", url) as answer:
            if answer.status_code != 200:
                raise SourceMissing(f"The source could not be fetched: {where} answered {answer.status_code}.")
            size = 0
            with file.open("wb") as out:
                async for chunk in answer.aiter_raw():
                    size += len(chunk)
                    if size > LARGEST:
                        raise SourceMissing("The source is larger than 1 GB.")
                    out.write(chunk)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
        raise SourceMissing(
            f"The source could not be fetched from {where}: {str(problem) or type(problem).__name__}"
        ) from None


def _verify(file: Path, checksum: str) -> None:
    kind, _, wanted = checksum.partition(":")
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if kind.upper() != "SHA256" or found != wanted.lower():
        raise SourceMissing("The source does not have the checksum that was given.")
