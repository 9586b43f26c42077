"""Dynos: see them, run one-off ones, restart and stop."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, formation, routing
from herodeploy.local.api.config_vars import checked
from herodeploy.local.attach.attachments import Attachment
from herodeploy.local.dynos.plan import DynoView
from herodeploy.local.lifecycle import releases
from herodeploy.local.ports import HOST
from herodeploy.local.tls.certificates import TlsUnavailable
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import ApiError, invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

LONGEST = 86_400
WIDEST = 65_535


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
    """POST /apps/:app/dynos: a one-off dyno; its output goes to the app's log, or to whoever attaches to it."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    command = routing.needed(values, "command")
    current = platform.current_release(app)
    if current is None or current.slug_id is None:
        raise invalid("The app has no code to run yet.")
    kind = routing.text(values, "type") or "run"
    size = formation.size_named(routing.text(values, "size") or releases.DEFAULT_SIZE)
    env = {key: value or "" for key, value in checked(texts(routing.section(values, "env"))).items()}
    attachment = await _attachment(platform, values, env) if routing.flag(values, "attach") else None
    dyno = await platform.supervisor.run_detached(
        dataclasses.replace(releases.plan(platform, app, current), sizes={kind: size}),
        type=kind,
        command=command,
        env=env,
        timeout=_time_to_live(values),
        attachment=attachment,
    )
    shown = render(app, dyno)
    if attachment is not None:
        platform.attachments.expect(attachment)
        shown["attach_url"] = f"rendezvous://{HOST}:{platform.settings.port}/{attachment.secret}"
    return reply.created(shown)


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


async def open_doors(platform: Platform) -> None:
    """Let people attach to dynos, which they do by TLS.

    Raises:
        ApiError: 501, there is no TLS here.
    """
    try:
        await platform.doors.open()
    except TlsUnavailable as problem:
        raise ApiError(501, "not_implemented", str(problem)) from None


async def _attachment(platform: Platform, values: dict[str, Any], env: dict[str, str]) -> Attachment:
    """Return what waits for whoever attaches."""
    await open_doors(platform)
    size = tuple(int(env[name]) if env.get(name, "").isdecimal() else 0 for name in ("LINES", "COLUMNS"))
    terminal = None if routing.flag(values, "force_no_tty") else (min(size[0], WIDEST), min(size[1], WIDEST))
    return Attachment(terminal, platform.settings.boot_timeout)


def texts(env: dict[str, Any]) -> dict[str, Any]:
    """Return variables as texts; the Heroku CLI sends the size of its terminal as numbers."""
    return {name: str(value) if type(value) is int else value for name, value in env.items()}


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
