"""Dynos: see them, run one-off ones, restart and stop."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, formation, routing
from herodeploy.local.api.config_vars import checked
from herodeploy.local.dynos.plan import DynoView
from herodeploy.local.lifecycle import releases
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

LONGEST = 86_400


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of dynos."""
    return [
        routing.route(platform, "GET", "/apps/{app}/dynos", index),
        routing.route(platform, "POST", "/apps/{app}/dynos", create),
        routing.route(platform, "DELETE", "/apps/{app}/dynos", restart),
        routing.route(platform, "GET", "/apps/{app}/dynos/{dyno}", show),
        routing.route(platform, "DELETE", "/apps/{app}/dynos/{dyno}", restart),
        routing.route(platform, "POST", "/apps/{app}/dynos/{dyno}/actions/stop", stop),
        routing.route(platform, "DELETE", "/apps/{app}/formations/{type}", restart),
        routing.route(platform, "POST", "/apps/{app}/formations/{type}/actions/stop", stop),
    ]


def render(app: records.App, dyno: DynoView) -> dict[str, Any]:
    """Return a dyno's JSON."""
    return {
        "app": {"id": app.id, "name": app.name},
        "attach_url": None,
        "command": dyno.command,
        "created_at": dyno.created_at,
        "id": dyno.id,
        "name": dyno.name,
        "release": {"id": dyno.release_id, "version": dyno.release_version},
        "size": dyno.size,
        "state": dyno.state,
        "type": dyno.type,
        "updated_at": dyno.updated_at,
    }


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/dynos."""
    app = find.path_app(platform, request)
    return ranges.page(request, platform.supervisor.dynos(app.id), lambda dyno: render(app, dyno), ("id", "name"))


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/dynos/:dyno."""
    app = find.path_app(platform, request)
    return render(app, _dyno(platform, app, request.path_params["dyno"]))


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/dynos: a detached one-off dyno; its output goes to the app's log."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    command = routing.needed(values, "command")
    if routing.flag(values, "attach"):
        raise invalid("The local platform runs detached one-off dynos only (heroku run:detached).")
    current = platform.current_release(app)
    if current is None or current.slug_id is None:
        raise invalid("The app has no code to run yet.")
    kind = routing.text(values, "type") or "run"
    size = formation.size_named(routing.text(values, "size") or releases.DEFAULT_SIZE)
    dyno = await platform.supervisor.run_detached(
        dataclasses.replace(releases.plan(platform, app, current), sizes={kind: size}),
        type=kind,
        command=command,
        env={key: value or "" for key, value in checked(routing.section(values, "env")).items()},
        timeout=_time_to_live(values),
    )
    return reply.created(render(app, dyno))


async def restart(platform: Platform, request: Request) -> reply.Reply:
    """DELETE /apps/:app/dynos, /dynos/:dyno and /formations/:type: new dynos take their places."""
    app = find.path_app(platform, request)
    await platform.supervisor.restart(app.id, **_which(platform, app, request))
    return reply.accepted({})


async def stop(platform: Platform, request: Request) -> reply.Reply:
    """POST .../actions/stop."""
    app = find.path_app(platform, request)
    await platform.supervisor.stop(app.id, **_which(platform, app, request))
    return reply.accepted({})


def _which(platform: Platform, app: records.App, request: Request) -> dict[str, str]:
    if "type" in request.path_params:
        return {"type": request.path_params["type"]}
    if "dyno" in request.path_params:
        return {"name": _dyno(platform, app, request.path_params["dyno"]).name}
    return {}


def _dyno(platform: Platform, app: records.App, identity: str) -> DynoView:
    for dyno in platform.supervisor.dynos(app.id):
        if identity in (dyno.id, dyno.name):
            return dyno
    raise not_found("dyno")


def _time_to_live(values: dict[str, Any]) -> float:
    wanted = values.get("time_to_live")
    if wanted is None:
        return LONGEST
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 < wanted <= LONGEST:
        raise invalid(f"time_to_live must be from 1 to {LONGEST} seconds.")
    return wanted
