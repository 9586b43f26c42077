"""Add-on attachments: which app has which add-on under which name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import addon_services, addons, find, routing
from herodeploy.local.lifecycle import addons as life
from herodeploy.local.lifecycle import attachments
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import ApiError, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("id", "name")
INCLUSION = "accept-inclusion"
"""A header of the Heroku CLI's: more comes with each attachment, which the published schema does not tell of."""


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of add-on attachments."""
    return [
        routing.route(platform, "GET", "/addon-attachments", index),
        routing.route(platform, "POST", "/addon-attachments", create),
        routing.route(platform, "GET", "/addon-attachments/{attachment}", show),
        routing.route(platform, "DELETE", "/addon-attachments/{attachment}", destroy),
        routing.route(platform, "GET", "/addons/{addon}/addon-attachments", index_of_addon),
        routing.route(platform, "GET", "/apps/{app}/addon-attachments", index_of_app),
        routing.route(platform, "GET", "/apps/{app}/addon-attachments/{attachment}", show),
        routing.route(platform, "POST", "/actions/addon-attachments/resolve", resolve),
    ]


def render(platform: Platform, row: records.AddonAttachment, inclusion: str = "") -> dict[str, Any]:
    """Return an attachment's JSON.

    Parameters:
        inclusion: what shall come, too: ``addon:plan``, ``config_vars``, or both with a comma.
    """
    addon, app = platform.state.addons.get(row.addon_id), platform.state.apps.get(row.app_id)
    owner = platform.state.apps.get(addon.app_id) if addon else None
    known: dict[str, Any] = {
        "id": row.addon_id,
        "name": addon.name if addon else "",
        "app": {"id": addon.app_id if addon else row.app_id, "name": owner.name if owner else ""},
    }
    more: dict[str, Any] = {}
    if addon is not None and "addon:plan" in inclusion:
        known["plan"] = addon_services.plan(addon.plan)
    if addon is not None and "config_vars" in inclusion:
        more["config_vars"] = list(attachments.variables(addon, row.name))
    return more | {
        "addon": known,
        "app": {"id": row.app_id, "name": app.name if app else ""},
        "created_at": row.created_at,
        "id": row.id,
        "log_input_url": None,
        "name": row.name,
        "namespace": row.namespace,
        "updated_at": row.updated_at,
        "web_url": None,
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /addon-attachments."""
    return _page(platform, request, _all(platform))


async def index_of_addon(platform: Platform, request: Request) -> reply.Reply:
    """GET /addons/:addon/addon-attachments."""
    addon = addons.find_addon(platform, request.path_params["addon"])
    return _page(platform, request, attachments.of_addon(platform, addon))


async def index_of_app(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/addon-attachments."""
    return _page(platform, request, attachments.of_app(platform, find.path_app(platform, request)))


async def show(platform: Platform, request: Request) -> Any:
    """GET /addon-attachments/:attachment by id, GET /apps/:app/addon-attachments/:attachment also by name."""
    return _shown(platform, request, _path_attachment(platform, request))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /addon-attachments."""
    values = await routing.body(request)
    addon = addons.find_addon(platform, routing.needed({"addon": routing.identity(values.get("addon"))}, "addon"))
    app = find.app(platform, routing.needed({"app": routing.identity(values.get("app"))}, "app"))
    if addon.state == "provisioning":
        raise invalid(f"{addon.name} is still being provisioned.")
    if routing.text(values, "namespace"):
        raise invalid("The local platform has the default credential only: no namespace.")
    row = await life.attach(
        platform, addon, app, name=routing.text(values, "name"), confirm=routing.text(values, "confirm") or ""
    )
    return reply.created(_shown(platform, request, row))


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /addon-attachments/:attachment."""
    row = _path_attachment(platform, request)
    body = _shown(platform, request, row)
    await life.detach(platform, row)
    return body


async def resolve(platform: Platform, request: Request) -> Any:
    """POST /actions/addon-attachments/resolve: by id, name, config var or add-on, of one app or of all."""
    values = await routing.body(request)
    wanted, service = routing.needed(values, "addon_attachment"), routing.identity(values.get("addon_service"))
    inside, _, name = wanted.rpartition("::")
    app_name = inside or routing.identity(values.get("app"))
    rows = attachments.of_app(platform, find.app(platform, app_name)) if app_name else _all(platform)
    found = [row for row in rows if _answers(platform, row, name, service)]
    if not found:
        raise _not_found()
    return [_shown(platform, request, row) for row in found]


def _answers(platform: Platform, row: records.AddonAttachment, name: str, service: str) -> bool:
    addon = platform.state.addons.get(row.addon_id)
    if addon is None or (service and addon.plan.partition(":")[0] != service):
        return False
    return name in (row.id, addon.id, addon.name) or name.upper().removesuffix("_URL") == row.name


def _all(platform: Platform) -> list[records.AddonAttachment]:
    return list(platform.state.addon_attachments)


def _page(platform: Platform, request: Request, rows: list[records.AddonAttachment]) -> reply.Reply:
    return ranges.page(request, rows, lambda row: _shown(platform, request, row), KEYS)


def _shown(platform: Platform, request: Request, row: records.AddonAttachment) -> dict[str, Any]:
    return render(platform, row, request.headers.get(INCLUSION, ""))


def _path_attachment(platform: Platform, request: Request) -> records.AddonAttachment:
    identity = request.path_params["attachment"]
    inside = "app" in request.path_params
    rows = attachments.of_app(platform, find.path_app(platform, request)) if inside else _all(platform)
    for row in rows:
        if identity == row.id or (inside and identity == row.name):
            return row
    raise _not_found()


def _not_found() -> ApiError:
    return ApiError(404, "not_found", "Couldn't find that add on attachment.", resource="add_on attachment")
