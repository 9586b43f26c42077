"""The add-on services that are provided, and their plans: all of them free."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import account, routing
from herodeploy.local.lifecycle import addon_plans
from herodeploy.local.wire.errors import ApiError, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FREE = {"cents": 0, "contract": False, "unit": "month"}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of add-on services and plans."""
    service = "/addon-services/{service}"
    return [
        routing.route(platform, "GET", "/addon-services", index),
        routing.route(platform, "GET", service, show),
        routing.route(platform, "GET", f"{service}/plans", plans),
        routing.route(platform, "GET", f"{service}/plans/{{plan}}", show_plan),
        routing.route(platform, "GET", "/plans/{plan}", show_plan),
    ]


def service(name: str) -> dict[str, str]:
    """Return the short form of a service."""
    return {"id": account.fixed_id(f"addon-service:{name}"), "name": name}


def plan(name: str) -> dict[str, str]:
    """Return the short form of a plan."""
    return {"id": account.fixed_id(f"plan:{name}"), "name": name}


def render_service(name: str) -> dict[str, Any]:
    """Return a service's JSON."""
    return service(name) | {
        "cli_plugin_name": None,
        "created_at": account.EPOCH,
        "human_name": "Heroku Postgres",
        "state": "ga",
        "supported_generations": [account.CEDAR],
        "supports_multiple_installations": True,
        "supports_sharing": True,
        "updated_at": account.EPOCH,
    }


def render_plan(found: addon_plans.Plan) -> dict[str, Any]:
    """Return a plan's JSON."""
    return plan(found.name) | {
        "addon_service": service(found.service),
        "compliance": None,
        "created_at": account.EPOCH,
        "default": found == addon_plans.DEFAULT,
        "description": f"Heroku Postgres {found.human_name}",
        "human_name": found.human_name,
        "installable_inside_private_network": False,
        "installable_outside_private_network": True,
        "price": FREE,
        "space_default": False,
        "state": "public",
        "updated_at": account.EPOCH,
        "visible": found.visible,
    }


def wanted(value: Any) -> addon_plans.Plan:
    """Return the plan that a body names: full name or id, or a service for its default.

    Raises:
        ApiError: 422, there is none of that name here.
    """
    name = routing.identity(value)
    if not name:
        raise invalid("plan is required.")
    found = _find(name)
    if found is None:
        raise invalid(f'Couldn\'t find either the add-on service or the add-on plan of "{name}".')
    return found


async def index(platform: Platform, request: Request) -> Any:
    """GET /addon-services."""
    return [render_service(addon_plans.POSTGRES)]


async def show(platform: Platform, request: Request) -> Any:
    """GET /addon-services/:service."""
    return render_service(_path_service(request))


async def plans(platform: Platform, request: Request) -> Any:
    """GET /addon-services/:service/plans."""
    name = _path_service(request)
    return [render_plan(each) for each in addon_plans.PLANS if each.service == name and each.visible]


async def show_plan(platform: Platform, request: Request) -> Any:
    """GET /plans/:plan and GET /addon-services/:service/plans/:plan."""
    name = request.path_params["plan"]
    if "service" in request.path_params and ":" not in name and _find(name) is None:
        name = f"{_path_service(request)}:{name}"
    found = _find(name) if ":" in name or name != addon_plans.POSTGRES else None
    if found is None:
        raise ApiError(404, "not_found", "Couldn't find that add-on plan.", resource="plan")
    return render_plan(found)


def _find(name: str) -> addon_plans.Plan | None:
    by_id = (each for each in addon_plans.PLANS if plan(each.name)["id"] == name)
    return addon_plans.find(name) or next(by_id, None)


def _path_service(request: Request) -> str:
    name = request.path_params["service"]
    if name not in service(addon_plans.POSTGRES).values():
        raise ApiError(404, "not_found", "Couldn't find that add-on service.", resource="addon_service")
    return addon_plans.POSTGRES
