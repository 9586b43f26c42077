"""Authorizations: what a login makes, and what a logout ends."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, routing
from herodeploy.local.lifecycle import authorizations as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import ApiError, invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

DEFAULT = "authorization:default"


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of authorizations."""
    one = "/oauth/authorizations/{authorization}"
    return [
        routing.route(platform, "GET", "/oauth/authorizations", index),
        routing.route(platform, "POST", "/oauth/authorizations", create),
        routing.route(platform, "GET", one, show),
        routing.route(platform, "PATCH", one, update),
        routing.route(platform, "DELETE", one, destroy),
        routing.route(platform, "POST", f"{one}/actions/regenerate-tokens", regenerate),
        routing.route(platform, "DELETE", "/oauth/sessions/{session}", no_session),
    ]


def render(platform: Platform, row: records.Authorization, token: str | None = None) -> dict[str, Any]:
    """Return an authorization's JSON.

    Parameters:
        token: shown whole where it has just been made; else only its ends are known.
    """
    left = int((row.expires_at - platform.now()).total_seconds()) if row.expires_at else None
    return {
        "access_token": {"expires_in": left, "id": row.token_id, "token": token or row.token_shown},
        "client": None,
        "created_at": row.created_at,
        "description": row.description,
        "grant": None,
        "id": row.id,
        "refresh_token": None,
        "scope": row.scope,
        "session": None,
        "updated_at": row.updated_at,
        "user": account.user() | {"full_name": "local"},
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /oauth/authorizations."""
    rows = [_default(platform), *(row for row in platform.state.authorizations if not life.is_expired(platform, row))]
    return ranges.page(request, rows, lambda row: render(platform, row), ("id", "created_at"))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /oauth/authorizations; who comes with ``Basic email:password`` has the platform's token as password."""
    values = await routing.body(request)
    scope = values.get("scope") or ["global"]
    if scope != ["global"]:
        raise invalid('scope must be ["global"]: this platform knows no lesser tokens, and a greater one is no answer.')
    description = routing.text(values, "description") or "Long-lived user authorization"
    row, token = life.authorize(platform, description, scope, _seconds(values.get("expires_in")))
    return reply.created(render(platform, row, token))


async def show(platform: Platform, request: Request) -> Any:
    """GET /oauth/authorizations/:authorization; ``~`` is that of the platform's own token."""
    return render(platform, _path_authorization(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /oauth/authorizations/:authorization: another description."""
    row = _path_authorization(platform, request)
    description = routing.text(await routing.body(request), "description")
    if description is not None and row.token_hash:
        row = replace(row, description=description, updated_at=platform.now())
        platform.state.authorizations.put(row)
    return render(platform, row)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /oauth/authorizations/:authorization."""
    row = _path_authorization(platform, request)
    life.revoke(platform, row)
    return render(platform, row)


async def regenerate(platform: Platform, request: Request) -> reply.Reply:
    """POST /oauth/authorizations/:authorization/actions/regenerate-tokens."""
    row = _path_authorization(platform, request)
    if not row.token_hash:
        raise invalid("The platform's own token stays; `herodeploy local reset` makes another.")
    row, token = life.renew(platform, row)
    return reply.Reply(render(platform, row, token))


async def no_session(platform: Platform, request: Request) -> Any:
    """DELETE /oauth/sessions/:session: nobody comes by a browser, so there is none; Heroku's CLI knows that."""
    raise ApiError(404, "not_found", "Couldn't find that session.", resource="session")


def _seconds(wanted: Any) -> int | None:
    """Take a number, also as text, which ``heroku authorizations:create --expires-in`` sends."""
    if wanted is None or (isinstance(wanted, int) and not isinstance(wanted, bool)):
        return wanted
    if isinstance(wanted, str) and wanted.isdecimal() and len(wanted) < 12:
        return int(wanted)
    raise invalid("expires_in must be a number of seconds.")


def _default(platform: Platform) -> records.Authorization:
    return life.default(platform, account.fixed_id(DEFAULT), account.EPOCH)


def _path_authorization(platform: Platform, request: Request) -> records.Authorization:
    wanted = request.path_params["authorization"]
    if wanted in ("~", account.fixed_id(DEFAULT)):
        return _default(platform)
    found = platform.state.authorizations.get(wanted)
    if found is None:
        raise not_found("authorization")
    return found
