"""Replies of the Platform API: JSON with Request-Id and ETag."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from herodeploy.local.wire.errors import ApiError


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: a JSON value, its status, extra headers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def created(body: Any, **headers: str) -> Reply:
    """201 with the new resource."""
    return Reply(body, 201, headers)


def accepted(body: Any) -> Reply:
    """202: begun."""
    return Reply(body, 202)


def respond(request: Request, answer: Any) -> Response:
    """Turn a handler's answer (a Response, a Reply or plain JSON) into the HTTP response."""
    if isinstance(answer, Response):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = json.dumps(reply.body, separators=(",", ":"), default=moment).encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = standard_headers() | {"ETag": etag, "Cache-Control": "private, no-cache"} | dict(reply.headers)
    if request.method in ("GET", "HEAD"):
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        expected = request.headers.get("if-match")
        if expected not in (None, "*") and etag not in str(expected):
            return error(ApiError(412, "precondition_failed", "The resource has changed."))
    return Response(body, reply.status, headers, media_type="application/json")


def error(problem: ApiError) -> Response:
    """Turn an error into the HTTP response."""
    headers = standard_headers() | problem.headers
    return Response(json.dumps(problem.body()), problem.status, headers, media_type="application/json")


def standard_headers() -> dict[str, str]:
    """Return what every reply of the API carries."""
    return {
        "Date": formatdate(usegmt=True),
        "Request-Id": str(uuid.uuid4()),
    }


def moment(value: object) -> str:
    """Return a time as Heroku writes it: ``2012-01-01T12:00:00Z``."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    raise TypeError(f"{value!r} is no JSON value")
