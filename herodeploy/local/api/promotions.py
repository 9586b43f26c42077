"""Pipeline promotions and their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import find, pipelines, routing
from herodeploy.local.lifecycle import promotions as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of promotions."""
    return [
        routing.route(platform, "POST", "/pipeline-promotions", create),
        routing.route(platform, "GET", "/pipeline-promotions/{promotion}", show),
        routing.route(platform, "GET", "/pipeline-promotions/{promotion}/promotion-targets", targets),
    ]


def render(promotion: records.Promotion) -> dict[str, Any]:
    """Return a promotion's JSON."""
    return {
        "created_at": promotion.created_at,
        "id": promotion.id,
        "pipeline": {"id": promotion.pipeline_id},
        "source": {"app": {"id": promotion.source_app_id}, "release": {"id": promotion.source_release_id}},
        "status": promotion.status,
        "updated_at": promotion.updated_at,
    }


def render_target(target: records.PromotionTarget) -> dict[str, Any]:
    """Return a target's JSON."""
    return {
        "app": {"id": target.app_id},
        "error_message": target.error_message,
        "id": target.id,
        "pipeline_promotion": {"id": target.promotion_id},
        "release": {"id": target.release_id} if target.release_id else None,
        "status": target.status,
    }


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipeline-promotions: the named release of the source, else its current one."""
    values = await routing.body(request)
    origin = routing.section(values, "source")
    pipeline = pipelines.find(
        platform, routing.needed({"pipeline.id": routing.identity(values.get("pipeline"))}, "pipeline.id")
    )
    source = find.app(platform, routing.needed({"source.app.id": routing.identity(origin.get("app"))}, "source.app.id"))
    promotion = await life.promote(
        platform, pipeline, source, _release(platform, source, origin), _targets(platform, values.get("targets"))
    )
    return reply.created(render(promotion))


async def show(platform: Platform, request: Request) -> Any:
    """GET /pipeline-promotions/:promotion."""
    return render(_path_promotion(platform, request))


async def targets(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipeline-promotions/:promotion/promotion-targets."""
    promotion = _path_promotion(platform, request)
    return ranges.page(request, platform.state.promotion_targets.where(promotion_id=promotion.id), render_target)


def _release(platform: Platform, source: records.App, origin: dict[str, Any]) -> records.Release:
    wanted = routing.identity(origin.get("release"))
    if wanted:
        return find.release(platform, source, wanted)
    current = platform.current_release(source)
    if current is None:
        raise invalid(f"App {source.name} has no release to promote.")
    return current


def _targets(platform: Platform, value: Any) -> list[records.App]:
    entries = value if isinstance(value, list) else []
    return [find.app(platform, routing.identity(e.get("app")) if isinstance(e, dict) else "") for e in entries]


def _path_promotion(platform: Platform, request: Request) -> records.Promotion:
    found = platform.state.promotions.get(request.path_params["promotion"])
    if found is None:
        raise not_found("pipeline promotion")
    return found
