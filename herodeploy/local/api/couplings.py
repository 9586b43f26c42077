"""Pipeline couplings: which app stands in which stage of which pipeline; an app is in one at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, pipelines, routing
from herodeploy.local.lifecycle import couplings as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("created_at", "id")
STAGES = ("test", "review", "development", "staging", "production")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of couplings."""
    return [
        routing.route(platform, "GET", "/pipeline-couplings", index),
        routing.route(platform, "GET", "/users/~/pipeline-couplings", index),
        routing.route(platform, "POST", "/pipeline-couplings", create),
        routing.route(platform, "GET", "/pipeline-couplings/{coupling}", show),
        routing.route(platform, "PATCH", "/pipeline-couplings/{coupling}", update),
        routing.route(platform, "DELETE", "/pipeline-couplings/{coupling}", destroy),
        routing.route(platform, "GET", "/pipelines/{pipeline}/pipeline-couplings", of_pipeline),
        routing.route(platform, "GET", "/apps/{app}/pipeline-couplings", of_app),
    ]


def render(platform: Platform, coupling: records.Coupling) -> dict[str, Any]:
    """Return a coupling's JSON; Heroku's clients need the pipeline's name, too."""
    pipeline = platform.state.pipelines.get(coupling.pipeline_id)
    return {
        "app": {"id": coupling.app_id},
        "created_at": coupling.created_at,
        "id": coupling.id,
        "pipeline": {"id": coupling.pipeline_id, "name": pipeline.name if pipeline else ""},
        "stage": coupling.stage,
        "updated_at": coupling.updated_at,
    }


def checked_stage(stage: str) -> str:
    """Return the stage when there is such a one; 422 otherwise."""
    if stage not in STAGES:
        raise invalid(f"Stage must be one of: {', '.join(STAGES)}.")
    return stage


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipeline-couplings."""
    return ranges.page(request, platform.state.couplings, lambda row: render(platform, row), KEYS)


async def of_pipeline(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipelines/:pipeline/pipeline-couplings."""
    pipeline = pipelines.path_pipeline(platform, request)
    rows = platform.state.couplings.where(pipeline_id=pipeline.id)
    return ranges.page(request, rows, lambda row: render(platform, row), KEYS)


async def of_app(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/pipeline-couplings: one object, no list."""
    app = find.path_app(platform, request)
    rows = platform.state.couplings.where(app_id=app.id)
    if not rows:
        raise not_found("pipeline coupling")
    return render(platform, rows[0])


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipeline-couplings."""
    values = await routing.body(request)
    app = find.app(platform, routing.needed({"app": routing.identity(values.get("app"))}, "app"))
    pipeline = pipelines.find(
        platform, routing.needed({"pipeline": routing.identity(values.get("pipeline"))}, "pipeline")
    )
    stage = checked_stage(routing.needed(values, "stage"))
    if platform.state.couplings.where(app_id=app.id):
        raise invalid(f"App {app.name} is already in a pipeline.")
    return reply.created(render(platform, life.couple(platform, app, pipeline, stage)))


async def show(platform: Platform, request: Request) -> Any:
    """GET /pipeline-couplings/:coupling."""
    return render(platform, _path_coupling(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /pipeline-couplings/:coupling: into another stage."""
    coupling = _path_coupling(platform, request)
    stage = routing.text(await routing.body(request), "stage")
    if stage is not None:
        coupling.stage = checked_stage(stage)
        coupling.updated_at = platform.now()
        platform.state.couplings.put(coupling)
    return render(platform, coupling)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /pipeline-couplings/:coupling."""
    coupling = _path_coupling(platform, request)
    life.uncouple(platform, coupling)
    return render(platform, coupling)


def _path_coupling(platform: Platform, request: Request) -> records.Coupling:
    found = platform.state.couplings.get(request.path_params["coupling"])
    if found is None:
        raise not_found("pipeline coupling")
    return found
