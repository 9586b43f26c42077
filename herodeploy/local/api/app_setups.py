"""App setups: an app from a source with an app.json, in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import buildpacks, config_vars, couplings, pipelines, routing
from herodeploy.local.lifecycle import app_setups as life
from herodeploy.local.lifecycle.couplings import couple
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of app setups."""
    return [
        routing.route(platform, "POST", "/app-setups", create),
        routing.route(platform, "GET", "/app-setups/{setup}", show),
    ]


def render(platform: Platform, setup: records.AppSetup) -> dict[str, Any]:
    """Return an app setup's JSON."""
    return {
        "app": {"id": setup.app_id, "name": setup.app_name},
        "build": _build(platform, setup),
        "created_at": setup.created_at,
        "failure_message": setup.failure_message,
        "id": setup.id,
        "manifest_errors": setup.manifest_errors,
        "postdeploy": setup.postdeploy,
        "resolved_success_url": setup.resolved_success_url,
        "status": setup.status,
        "updated_at": setup.updated_at,
    }


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /app-setups; the reply names the app that is being set up."""
    values = await routing.body(request)
    app, blob = routing.section(values, "app"), routing.section(values, "source_blob")
    overrides, place = routing.section(values, "overrides"), _place(platform, values)
    setup = await life.create_app_setup(
        platform,
        life.Order(
            source_url=routing.needed(blob, "url"),
            version=routing.text(blob, "version") or None,
            checksum=routing.text(blob, "checksum"),
            given=config_vars.merged({}, config_vars.checked(routing.section(overrides, "env"))),
            buildpacks=buildpacks.parse(overrides.get("buildpacks")),
        ),
        name=routing.text(app, "name"),
        stack=routing.identity(app.get("stack")) or None,
        region=routing.identity(app.get("region")) or None,
    )
    owner = platform.state.apps.get(setup.app_id)
    if place is not None and owner is not None:
        couple(platform, owner, *place)
    return reply.created(render(platform, setup))


async def show(platform: Platform, request: Request) -> Any:
    """GET /app-setups/:setup."""
    setup = platform.state.app_setups.get(request.path_params["setup"])
    if setup is None:
        raise not_found("app setup")
    return render(platform, setup)


def _place(platform: Platform, values: dict[str, Any]) -> tuple[records.Pipeline, str] | None:
    """Return where the Heroku CLI's ``pipelines:setup`` wants the app: in which stage of which pipeline."""
    wanted = routing.section(values, "pipeline_coupling")
    if not wanted:
        return None
    pipeline = pipelines.find(platform, routing.identity(wanted.get("pipeline")))
    return pipeline, couplings.checked_stage(routing.needed(wanted, "stage"))


def _build(platform: Platform, setup: records.AppSetup) -> dict[str, Any] | None:
    if setup.build_id is None:
        return None
    build = platform.state.builds.get(setup.build_id)
    return {
        "id": setup.build_id,
        "output_stream_url": platform.streams.url(setup.build_stream_id or ""),
        "status": build.status if build else setup.build_status,
    }
