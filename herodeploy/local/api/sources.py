"""Sources and blobs: tarballs that go up and down without a token, at addresses that cannot be guessed."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, routing
from herodeploy.local.lifecycle import sources as life
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import ApiError, bad_request, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of sources and of blobs."""
    return [
        routing.route(platform, "POST", "/sources", create),
        routing.route(platform, "POST", "/apps/{app}/sources", create),
        routing.route(platform, "PUT", "/blobs/sources/{key}", upload_source, streams=True),
        routing.route(platform, "GET", "/blobs/sources/{key}", download_source),
        routing.route(platform, "PUT", "/blobs/slugs/{key}", upload_slug, streams=True),
        routing.route(platform, "GET", "/blobs/slugs/{key}", download_slug),
    ]


async def create(platform: Platform, request: Request) -> reply.Reply:  # noqa: ARG001
    """POST /sources: where to PUT a tarball, and where builds get it."""
    row = platform.state.sources.put(records.Source(id=str(uuid.uuid4()), created_at=platform.now()))
    url = f"{platform.base_url}/blobs/sources/{row.id}"
    return reply.created({"source_blob": {"get_url": url, "put_url": url}})


async def upload_source(platform: Platform, request: Request) -> Any:
    """PUT to a source's put_url."""
    row = platform.state.sources.get(request.path_params["key"])
    if row is None:
        raise not_found("source")
    await _receive(request, life.upload_file(platform, row.id))
    row.uploaded = True
    platform.state.sources.put(row)
    return Response(status_code=200, headers=reply.standard_headers())


async def download_source(platform: Platform, request: Request) -> Response:
    """GET of a source's get_url."""
    return _send(life.upload_file(platform, request.path_params["key"]), "source")


async def upload_slug(platform: Platform, request: Request) -> Response:
    """PUT to a new slug's blob."""
    slug = find.slug(platform, request.path_params["key"])
    file = platform.settings.slugs / f"{slug.id}.tgz"
    if file.exists():
        raise ApiError(409, "conflict", "The slug's blob is there already; slugs do not change.")
    found = await _receive(request, file)
    slug.size = file.stat().st_size
    slug.checksum = slug.checksum or f"SHA256:{found}"
    slug.updated_at = platform.now()
    platform.state.slugs.put(slug)
    return Response(status_code=200, headers=reply.standard_headers())


async def download_slug(platform: Platform, request: Request) -> Response:
    """GET of a slug's blob."""
    slug = find.slug(platform, request.path_params["key"])
    return _send(platform.settings.slugs / f"{slug.id}.tgz", "slug")


async def _receive(request: Request, file: Path) -> str:
    """Write a request's body to a file, whole or not at all, and return its SHA-256."""
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as out:
            async for chunk in request.stream():
                size += len(chunk)
                if size > life.LARGEST:
                    raise ApiError(413, "payload_too_large", "The upload is larger than 1 GB.")
                digest.update(chunk)
                out.write(chunk)
        part.replace(file)
    except ClientDisconnect:
        raise bad_request("The upload was cut off.") from None
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def _send(file: Path, what: str) -> Response:
    if not file.is_file():
        raise not_found(what)
    return FileResponse(file, media_type="application/gzip", headers=reply.standard_headers())
