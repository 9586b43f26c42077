"""What ``heroku pg:...`` asks the host of databases, which ``HEROKU_DATA_HOST=127.0.0.1`` makes this platform."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, addons, routing
from herodeploy.local.lifecycle import addon_plans
from herodeploy.local.postgres.admin import Admin, Facts
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.wire.errors import ApiError, invalid, not_served

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

MEGABYTE = 1_000_000
ROOTS = ("/client/v11", "/postgres/v0")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_EXTENSION = re.compile(r"[a-z][a-z0-9_-]*")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of databases."""
    database = "/client/v11/databases/{addon}"
    credentials = "/postgres/v0/databases/{addon}/credentials"
    return [
        routing.route(platform, "GET", database, show),
        routing.route(platform, "GET", f"{database}/wait_status", wait_status),
        routing.route(platform, "PUT", f"{database}/reset", reset),
        routing.route(platform, "POST", f"{database}/connection_reset", reset_connections),
        routing.route(platform, "GET", credentials, index_credentials),
        routing.route(platform, "GET", f"{credentials}/{{name}}", show_credential),
        *(routing.route(platform, method, f"{root}/{{rest:path}}", refuse) for method in METHODS for root in ROOTS),
    ]


async def show(platform: Platform, request: Request) -> Any:
    """GET /client/v11/databases/:addon, for ``pg:info``."""
    addon = _path_addon(platform, request)
    try:
        facts = await (await _admin(platform, addon)).facts(addon.database)
        status = "Available"
    except Unavailable as problem:
        facts, status = Facts("unknown", 0, 0, 0), f"Unavailable: {problem}"
    plan = addon_plans.find(addon.plan) or addon_plans.DEFAULT
    told = {
        "Plan": plan.human_name,
        "Status": status,
        "Connections": str(facts.connections),
        "PG Version": facts.version,
        "Created": addon.created_at.strftime("%Y-%m-%d %H:%M UTC"),
        "Data Size": f"{facts.size / MEGABYTE:.1f} MB",
        "Tables": str(facts.tables),
        "Fork/Follow": "Unsupported",
        "Rollback": "Unsupported",
        "Continuous Protection": "Off",
    }
    return {
        "addon_id": addon.id,
        "name": addon.database,
        "heroku_resource_id": addon.name,
        "plan": plan.slug,
        "created_at": addon.created_at,
        "resource_url": addon.config["URL"],
        "num_bytes": facts.size,
        "num_connections": facts.connections,
        "num_tables": facts.tables,
        "postgres_version": facts.version,
        "following": None,
        "info": [{"name": name, "values": [value]} for name, value in told.items()],
    }


async def wait_status(platform: Platform, request: Request) -> Any:
    """GET /client/v11/databases/:addon/wait_status, for ``pg:wait``."""
    _path_addon(platform, request)
    return {"waiting?": False, "error?": False, "message": "available"}


async def reset(platform: Platform, request: Request) -> Any:
    """PUT /client/v11/databases/:addon/reset, for ``pg:reset``: everything in the database goes."""
    addon = _path_addon(platform, request)
    wanted = (await routing.body(request)).get("extensions") or []
    if not isinstance(wanted, list) or not all(isinstance(each, str) and _EXTENSION.fullmatch(each) for each in wanted):
        raise invalid("extensions must be a list of names.")
    try:
        await (await _admin(platform, addon)).reset(addon.database, addon.role, wanted)
    except Unavailable as problem:
        raise invalid(f"The database could not be reset: {problem}") from None
    return {"message": "Reset successful."}


async def reset_connections(platform: Platform, request: Request) -> Any:
    """POST /client/v11/databases/:addon/connection_reset, for ``pg:killall``."""
    addon = _path_addon(platform, request)
    try:
        await (await _admin(platform, addon)).disconnect(addon.database)
    except Unavailable as problem:
        raise invalid(f"The connections could not be ended: {problem}") from None
    return {"message": "Connections terminated."}


async def refuse(platform: Platform, request: Request) -> Any:
    """Say no to everything else that the host of databases does."""
    raise not_served(request.method, request.url.path)


async def index_credentials(platform: Platform, request: Request) -> Any:
    """GET /postgres/v0/databases/:addon/credentials, for ``pg:credentials``."""
    return [_credential(_path_addon(platform, request))]


async def show_credential(platform: Platform, request: Request) -> Any:
    """GET /postgres/v0/databases/:addon/credentials/:name, for ``pg:credentials:url``."""
    addon = _path_addon(platform, request)
    if request.path_params["name"] != "default":
        raise ApiError(404, "not_found", "Couldn't find that credential.", resource="credential")
    return _credential(addon)


def _credential(addon: records.Addon) -> dict[str, Any]:
    parts = urlsplit(addon.config["URL"])
    user = {"user": parts.username, "password": parts.password, "state": "active", "connections": None}
    return {
        "uuid": account.fixed_id(f"credential:{addon.id}"),
        "name": "default",
        "state": "active",
        "database": addon.database,
        "host": parts.hostname,
        "port": parts.port,
        "credentials": [user],
    }


def _path_addon(platform: Platform, request: Request) -> records.Addon:
    addon = addons.find_addon(platform, request.path_params["addon"])
    if "URL" not in addon.config:  # it is only just being made
        raise ApiError(404, "not_found", "Couldn't find that database.", resource="database")
    return addon


async def _admin(platform: Platform, addon: records.Addon) -> Admin:
    if addon.where != platform.postgres.where:
        raise Unavailable(f"it is on {addon.where}, which this platform does not use now")
    return await platform.postgres.admin()
