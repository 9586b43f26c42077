"""Config vars of a stage, which review apps and test runs start with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import config_vars, couplings, pipelines, routing

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

PATH = "/pipelines/{pipeline}/stage/{stage}/config-vars"


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of stage config vars."""
    return [
        routing.route(platform, "GET", PATH, show),
        routing.route(platform, "PATCH", PATH, update),
    ]


async def show(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/stage/:stage/config-vars."""
    pipeline = pipelines.path_pipeline(platform, request)
    return dict(pipeline.stage_config.get(couplings.checked_stage(request.path_params["stage"]), {}))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /pipelines/:pipeline/stage/:stage/config-vars; null removes."""
    pipeline = pipelines.path_pipeline(platform, request)
    stage = couplings.checked_stage(request.path_params["stage"])
    values = config_vars.checked(await routing.body(request))
    changed = config_vars.merged(pipeline.stage_config.get(stage, {}), values)
    pipeline.stage_config = {**pipeline.stage_config, stage: changed}
    platform.state.pipelines.put(pipeline)
    return changed
