"""Domains of an app: its own below localhost, and custom ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, routing
from herodeploy.local.lifecycle import domains as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "hostname", "domain")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of domains."""
    return [
        routing.route(platform, "GET", "/apps/{app}/domains", index),
        routing.route(platform, "POST", "/apps/{app}/domains", create),
        routing.route(platform, "GET", "/apps/{app}/domains/{domain}", show),
        routing.route(platform, "PATCH", "/apps/{app}/domains/{domain}", update),
        routing.route(platform, "DELETE", "/apps/{app}/domains/{domain}", destroy),
    ]


def render(app: records.App, row: records.Domain) -> dict[str, Any]:
    """Return a domain's JSON; whoever wants to reach a custom one lets it point to the app's own name."""
    own = _own(app)
    custom = row.id != own.id
    return {
        "acm_status": None,
        "acm_status_reason": None,
        "app": {"id": app.id, "name": app.name},
        "cname": own.hostname if custom else None,
        "created_at": row.created_at,
        "hostname": row.hostname,
        "id": row.id,
        "kind": "custom" if custom else "heroku",
        "sni_endpoint": None,
        "status": "succeeded" if custom else "none",
        "updated_at": row.updated_at,
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/domains."""
    app = find.path_app(platform, request)
    rows = [_own(app), *platform.state.domains.where(app_id=app.id)]
    return ranges.page(request, rows, lambda row: render(app, row), KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/domains."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    _no_endpoint(values)
    row = life.add(platform, app, routing.needed(values, "hostname"))
    shown = render(app, row)
    platform.publish(app, "api:domain", "create", shown)
    return reply.created(shown)


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/domains/:domain."""
    app = find.path_app(platform, request)
    return render(app, _domain(platform, app, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/domains/:domain: there is no SNI endpoint that it could get."""
    app = find.path_app(platform, request)
    row = _domain(platform, app, request)
    _no_endpoint(await routing.body(request))
    return render(app, row)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/domains/:domain."""
    app = find.path_app(platform, request)
    row = _domain(platform, app, request)
    shown = render(app, row)
    if shown["kind"] == "heroku":
        raise invalid(f"{row.hostname} is the app's own name and stays.")
    life.remove(platform, app, row)
    platform.publish(app, "api:domain", "destroy", shown)
    return shown


def _own(app: records.App) -> records.Domain:
    """Return the domain that every app has."""
    return records.Domain(
        id=account.fixed_id(f"domain:{app.id}"),
        app_id=app.id,
        hostname=f"{app.name}.localhost",
        created_at=app.created_at,
        updated_at=app.created_at,
    )


def _domain(platform: Platform, app: records.App, request: Request) -> records.Domain:
    identity = request.path_params["domain"]
    for row in (_own(app), *platform.state.domains.where(app_id=app.id)):
        if identity.lower() in (row.id, row.hostname):
            return row
    raise not_found("domain")


def _no_endpoint(values: dict[str, Any]) -> None:
    if routing.text(values, "sni_endpoint") is not None:
        raise invalid("The local platform has no SNI endpoints; sni_endpoint must be null.")
