"""Add-ons: provide, look at, find by any of their names, configure, destroy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import addon_services, find, routing
from herodeploy.local.lifecycle import addon_plans, attachments
from herodeploy.local.lifecycle import addons as life
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import ApiError, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "name")
EXPANSION = "accept-expansion"
"""A header of the Heroku CLI's: the plan and the service come whole, which the published schema does not tell of."""

PROVIDED = "Database has been created and is available"

_KEY = re.compile(r"\w+", re.ASCII)


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of add-ons."""
    addon = "/apps/{app}/addons/{addon}"
    return [
        routing.route(platform, "GET", "/addons", index),
        routing.route(platform, "GET", "/users/{user}/addons", index),
        routing.route(platform, "GET", "/addons/{addon}", show),
        routing.route(platform, "GET", "/apps/{app}/addons", index_of_app),
        routing.route(platform, "POST", "/apps/{app}/addons", create),
        routing.route(platform, "GET", addon, show),
        routing.route(platform, "PATCH", addon, update),
        routing.route(platform, "DELETE", addon, destroy),
        routing.route(platform, "GET", "/addons/{addon}/config", show_config),
        routing.route(platform, "PATCH", "/addons/{addon}/config", update_config),
        routing.route(platform, "POST", "/actions/addons/resolve", resolve),
    ]


def render(platform: Platform, addon: records.Addon, expansion: str = "") -> dict[str, Any]:
    """Return an add-on's JSON.

    Parameters:
        expansion: what shall come whole: ``plan``, ``addon_service``, or both with a comma.
    """
    app = platform.state.apps.get(addon.app_id)
    owner = {"id": addon.app_id, "name": app.name if app else ""}
    plan = addon_plans.find(addon.plan) or addon_plans.DEFAULT
    own = [row for row in attachments.of_addon(platform, addon) if row.app_id == addon.app_id]
    return {
        "actions": [],
        "addon_service": addon_services.render_service(plan.service)
        if "addon_service" in expansion
        else addon_services.service(plan.service),
        "app": owner,
        "billed_price": addon_services.FREE,
        "billing_entity": owner | {"type": "app"},
        "config_vars": [name for row in own for name in attachments.variables(addon, row.name)],
        "created_at": addon.created_at,
        "id": addon.id,
        "name": addon.name,
        "plan": addon_services.render_plan(plan) if "plan" in expansion else addon_services.plan(plan.name),
        "provider_id": addon.database,
        "provision_message": "",
        "state": addon.state,
        "updated_at": addon.updated_at,
        "web_url": None,
    }


def find_addon(platform: Platform, identity: str, app: records.App | None = None) -> records.Addon:
    """Return the add-on of that id or name, of all or of those of one app.

    Raises:
        ApiError: 404, there is none.
    """
    for addon in life.all_visible(platform) if app is None else life.of_app(platform, app):
        if identity in (addon.id, addon.name):
            return addon
    raise _not_found()


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /addons and GET /users/~/addons."""
    return _page(platform, request, life.all_visible(platform))


async def index_of_app(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/addons: its own and those of other apps that it has attached."""
    return _page(platform, request, life.of_app(platform, find.path_app(platform, request)))


async def show(platform: Platform, request: Request) -> Any:
    """GET /addons/:addon and GET /apps/:app/addons/:addon."""
    return _shown(platform, request, _path_addon(platform, request))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/addons; the database is there when it answers."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    try:
        addon = await life.create_addon(
            platform,
            app,
            addon_services.wanted(values.get("plan")),
            name=routing.text(values, "name"),
            attachment=routing.text(routing.section(values, "attachment"), "name"),
            confirm=routing.text(values, "confirm") or "",
        )
    except Unavailable as problem:
        raise invalid(f"{addon_plans.POSTGRES} cannot be provided here: {problem}") from None
    return reply.created(_shown(platform, request, addon) | {"provision_message": PROVIDED})


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/addons/:addon: another plan, another name."""
    addon = _path_addon(platform, request)
    values = await routing.body(request)
    plan = addon_services.wanted(values["plan"]) if values.get("plan") is not None else None
    await life.change_addon(platform, addon, name=routing.text(values, "name"), plan=plan)
    return _shown(platform, request, addon)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/addons/:addon; `force` also where other apps have it attached."""
    app = find.path_app(platform, request)
    addon = find_addon(platform, request.path_params["addon"], app)
    if addon.app_id != app.id:
        raise _not_found()
    body = _shown(platform, request, addon)
    await life.destroy_addon(platform, addon, force=routing.flag(await routing.body(request), "force"))
    return body | {"state": life.GONE}


async def show_config(platform: Platform, request: Request) -> Any:
    """GET /addons/:addon/config: what each attachment sets, without the attachment's name."""
    return _config(find_addon(platform, request.path_params["addon"]))


async def update_config(platform: Platform, request: Request) -> Any:
    """PATCH /addons/:addon/config, for the add-on's provider; null removes."""
    addon = find_addon(platform, request.path_params["addon"])
    changes = (await routing.body(request)).get("config") or []
    if not isinstance(changes, list) or not all(isinstance(each, dict) for each in changes):
        raise invalid("config must be a list of objects with name and value.")
    config: dict[str, str | None] = dict(addon.config)
    for each in changes:
        name, value = routing.needed(each, "name"), routing.text(each, "value")
        if not _KEY.fullmatch(name) or "\0" in (value or ""):
            raise invalid(f"{name!r} and its value cannot become a config var.")
        config[name] = value
    if not _is_address(config.get("URL") or ""):
        raise invalid("URL must be a postgres:// address.")
    await life.configure(platform, addon, {name: value for name, value in config.items() if value is not None})
    return _config(addon)


async def resolve(platform: Platform, request: Request) -> Any:
    """POST /actions/addons/resolve: by id, name, service, or attachment, of one app or of all."""
    values = await routing.body(request)
    wanted, service = routing.needed(values, "addon"), routing.identity(values.get("addon_service"))
    inside, _, name = wanted.rpartition("::")
    app_name = inside or routing.identity(values.get("app"))
    app = find.app(platform, app_name) if app_name else None
    found = [row for row in _candidates(platform, app, name) if service in ("", *_service(row).values())]
    if not found:
        raise _not_found()
    return [_shown(platform, request, row) for row in found]


def _candidates(platform: Platform, app: records.App | None, name: str) -> list[records.Addon]:
    rows = life.all_visible(platform) if app is None else life.of_app(platform, app)
    exact = [row for row in rows if name in (row.id, row.name)]
    if exact:
        return exact
    attached = attachments.of_app(platform, app) if app else []
    by_attachment = {row.addon_id for row in attached if row.name == name.upper().removesuffix("_URL")}
    return [row for row in rows if row.id in by_attachment or name in (_service(row)["name"], row.plan)]


def _service(addon: records.Addon) -> dict[str, str]:
    return addon_services.service(addon.plan.partition(":")[0])


def _config(addon: records.Addon) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in addon.config.items()]


def _is_address(url: str) -> bool:
    try:
        return urlsplit(url).scheme == "postgres" and urlsplit(url).port != 0
    except ValueError:
        return False


def _page(platform: Platform, request: Request, rows: list[records.Addon]) -> reply.Reply:
    return ranges.page(request, rows, lambda row: _shown(platform, request, row), KEYS)


def _shown(platform: Platform, request: Request, addon: records.Addon) -> dict[str, Any]:
    return render(platform, addon, request.headers.get(EXPANSION, ""))


def _path_addon(platform: Platform, request: Request) -> records.Addon:
    app = find.path_app(platform, request) if "app" in request.path_params else None
    return find_addon(platform, request.path_params["addon"], app)


def _not_found() -> ApiError:
    return ApiError(404, "not_found", "Couldn't find that add-on.", resource="add_on")
