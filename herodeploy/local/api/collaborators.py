"""Collaborators: who else may work on an app; on a local platform, whom an app would be shared with."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "email")

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of collaborators."""
    return [
        routing.route(platform, "GET", "/apps/{app}/collaborators", index),
        routing.route(platform, "POST", "/apps/{app}/collaborators", create),
        routing.route(platform, "GET", "/apps/{app}/collaborators/{collaborator}", show),
        routing.route(platform, "DELETE", "/apps/{app}/collaborators/{collaborator}", destroy),
    ]


def render(app: records.App, row: records.Collaborator) -> dict[str, Any]:
    """Return a collaborator's JSON."""
    return {
        "app": {"id": app.id, "name": app.name},
        "created_at": row.created_at,
        "id": row.id,
        "permissions": [],
        "role": "owner" if row.email == account.EMAIL else "collaborator",
        "updated_at": row.updated_at,
        "user": account.user(row.email) | {"federated": False},
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/collaborators; the owner is one of them."""
    app = find.path_app(platform, request)
    return ranges.page(request, _all(platform, app), lambda row: render(app, row), KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/collaborators; nobody is written to."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    email = routing.needed({"user": routing.identity(values.get("user"))}, "user")
    email = account.EMAIL if email == "~" else email
    if not _EMAIL.fullmatch(email):
        raise invalid("user must be an e-mail address.")
    if any(row.email == email for row in _all(platform, app)):
        raise invalid(f"{email} is already a collaborator on {app.name}.")
    now = platform.now()
    row = records.Collaborator(id=str(uuid.uuid4()), app_id=app.id, email=email, created_at=now, updated_at=now)
    shown = render(app, platform.state.collaborators.put(row))
    platform.log(app, f"Add {email} as collaborator by user {platform.email}")
    platform.publish(app, "api:collaborator", "create", shown)
    return reply.created(shown)


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/collaborators/:collaborator."""
    app = find.path_app(platform, request)
    return render(app, _collaborator(platform, app, request))


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/collaborators/:collaborator."""
    app = find.path_app(platform, request)
    row = _collaborator(platform, app, request)
    if row.email == account.EMAIL:
        raise invalid("The owner of an app cannot be removed from it.")
    platform.state.collaborators.delete(row.id)
    platform.log(app, f"Remove {row.email} as collaborator by user {platform.email}")
    shown = render(app, row)
    platform.publish(app, "api:collaborator", "destroy", shown)
    return shown


def _all(platform: Platform, app: records.App) -> list[records.Collaborator]:
    owner = records.Collaborator(
        id=account.fixed_id(f"owner:{app.id}"),
        app_id=app.id,
        email=account.EMAIL,
        created_at=app.created_at,
        updated_at=app.created_at,
    )
    return [owner, *platform.state.collaborators.where(app_id=app.id)]


def _collaborator(platform: Platform, app: records.App, request: Request) -> records.Collaborator:
    identity = request.path_params["collaborator"]
    for row in _all(platform, app):
        if identity in (row.id, row.email, account.user(row.email)["id"]):
            return row
    raise not_found("collaborator")
