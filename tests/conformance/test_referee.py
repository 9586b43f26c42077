"""The referee itself: it must see what is wrong, or all other tests prove less than they say."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from support.referee import Referee
from support.schema import Schema

REGION = {
    "country": "Germany",
    "created_at": "2024-01-01T00:00:00Z",
    "description": "Germany",
    "id": "01234567-89ab-cdef-0123-456789abcdef",
    "locale": "Frankfurt",
    "name": "eu",
    "private_capable": False,
    "provider": {"name": "amazon-web-services", "region": "eu-west-1"},
    "updated_at": "2024-01-01T00:00:00Z",
}
HEADERS = {"content-type": "application/json", "request-id": "1", "ratelimit-remaining": "1", "etag": "1"}


def judged(
    law: Schema,
    body: Any,
    *,
    method: str = "GET",
    path: str = "/regions/eu",
    status: int = 200,
    headers: dict[str, str] = HEADERS,
    asked: Any = None,
) -> list[str]:
    """Let an app answer once with the referee around it, and return the verdict."""

    async def app(_: Any, receive: Any, send: Any) -> None:
        await receive()
        raw = [(key.encode(), value.encode()) for key, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send(
            {"type": "http.response.body", "body": body if isinstance(body, bytes) else json.dumps(body).encode()}
        )

    async def receive() -> Any:
        return {"type": "http.request", "body": b"" if asked is None else json.dumps(asked).encode()}

    async def send(_: Any) -> None:
        pass

    referee = Referee(law)
    scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"127.0.0.1:5333")]}
    asyncio.run(referee.around(app)(scope, receive, send))  # type: ignore[arg-type]
    return referee.verdict()


def test_what_is_right_passes(law: Schema) -> None:
    assert judged(law, REGION) == []
    assert judged(law, [REGION], path="/regions") == []
    assert judged(law, {"id": "not_found", "message": "No."}, status=404) == []
    assert judged(law, b"<html>", status=503, headers={"content-type": "text/html"}) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id": "eu"}, "is not a 'uuid'"),
        ({"created_at": "yesterday"}, "is not a 'date-time'"),
        ({"country": None}, "is not of type 'string'"),
        ({"provider": {"name": "amazon-web-services", "region": "mars-1"}}, "is not one of"),
        ({"extra": 1}, "Additional properties"),
    ],
)
def test_wrong_values_are_seen(law: Schema, change: dict[str, Any], complaint: str) -> None:
    (problem,) = judged(law, REGION | change)
    assert problem.startswith("GET /regions/eu -> 200: ")
    assert complaint in problem
    (problem,) = judged(law, [REGION, REGION | change], path="/regions")
    assert complaint in problem


def test_what_is_missing_is_seen(law: Schema) -> None:
    less = {key: value for key, value in REGION.items() if key != "locale"}
    assert "'locale' is a required property" in judged(law, less)[0]
    bare = {key: value for key, value in HEADERS.items() if key != "etag"}
    assert "no etag header" in judged(law, REGION, headers=bare)[0]
    assert "without id and message" in judged(law, {"error": "No."}, status=422)[0]


def test_the_wire_is_watched(law: Schema) -> None:
    assert "is no JSON" in judged(law, b"eu", headers=HEADERS | {"content-type": "text/plain"})[0]
    assert "Next-Range" in judged(law, [REGION], path="/regions", headers=HEADERS | {"next-range": "id ]a.."})[0]
    assert "Next-Range" in judged(law, [REGION], path="/regions", status=206)[0]
    assert "not in the schema" in judged(law, REGION, path="/continents/eu")[0]
    assert "no JSON" in judged(law, b"<html>", status=404, headers={"content-type": "text/html"})[0]
    assert "the platform broke" in judged(law, {"id": "internal_server_error", "message": "a bug"}, status=500)[0]


def test_requests_are_judged_where_they_were_taken(law: Schema) -> None:
    one = {"method": "POST", "path": "/pipeline-couplings", "asked": {"app": "x", "stage": "moon"}}
    assert any("request: " in problem for problem in judged(law, {}, status=201, **one))
    assert judged(law, {"id": "invalid_params", "message": "No."}, status=422, **one) == []
    scaled: Any = {
        "method": "PATCH",
        "path": "/apps/x/formation",
        "asked": {"updates": [{"type": "web", "quantity": "+1"}]},
    }
    assert judged(law, [], **scaled) == []
