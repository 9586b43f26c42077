"""Review apps, and whether and how a pipeline makes them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, config_vars, find, pipelines, routing
from herodeploy.local.git import connections
from herodeploy.local.lifecycle import review_apps as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import ApiError, conflict, invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("created_at", "id", "updated_at")
CONFIG = "/pipelines/{pipeline}/review-app-config"
FLAGS = ("automatic_review_apps", "destroy_stale_apps", "wait_for_ci")
STALE_DAYS = range(1, 31)


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of review apps and their configuration."""
    return [
        routing.route(platform, "POST", "/review-apps", create),
        routing.route(platform, "GET", "/review-apps/{review}", show),
        routing.route(platform, "DELETE", "/review-apps/{review}", destroy),
        routing.route(platform, "GET", "/apps/{app}/review-app", of_app),
        routing.route(platform, "GET", "/pipelines/{pipeline}/review-apps", index),
        routing.route(platform, "GET", CONFIG, show_config),
        routing.route(platform, "POST", CONFIG, enable),
        routing.route(platform, "PATCH", CONFIG, update_config),
        routing.route(platform, "DELETE", CONFIG, disable),
    ]


def render(review: records.ReviewApp) -> dict[str, Any]:
    """Return a review app's JSON."""
    return {
        "app": {"id": review.app_id} if review.app_id else None,
        "app_setup": {"id": review.app_setup_id} if review.app_setup_id else None,
        "branch": review.branch,
        "created_at": review.created_at,
        "creator": {"id": account.user()["id"]},
        "error_status": review.error_status,
        "fork_repo": {"id": review.fork_repo_id} if review.fork_repo_id else None,
        "id": review.id,
        "message": review.message,
        "pipeline": {"id": review.pipeline_id},
        "pr_number": review.pr_number,
        "status": review.status,
        "updated_at": review.updated_at,
        "wait_for_ci": review.wait_for_ci,
    }


def render_config(pipeline: records.Pipeline) -> dict[str, Any]:
    """Return a pipeline's review app configuration; 404 where review apps are not enabled."""
    if pipeline.review_config is None:
        raise ApiError(404, "not_found", "Review apps are not enabled for this pipeline.", resource="review_app_config")
    shown = {key: value for key, value in pipeline.review_config.items() if key != "repo"}
    return shown | {"repo": {"id": zlib.crc32(pipeline.review_config["repo"].encode())}, "pipeline_id": pipeline.id}


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipelines/:pipeline/review-apps."""
    pipeline = pipelines.path_pipeline(platform, request)
    return ranges.page(request, platform.state.review_apps.where(pipeline_id=pipeline.id), render, KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /review-apps, also where the pipeline's configuration does not enable them: no GitHub is needed here."""
    values = await routing.body(request)
    blob = routing.section(values, "source_blob")
    pipeline = pipelines.find(
        platform, routing.needed({"pipeline": routing.identity(values.get("pipeline"))}, "pipeline")
    )
    url, version = routing.needed(blob, "url"), routing.text(blob, "version") or None
    branch = routing.needed(values, "branch")
    if url == "resolve":
        url, version = await _resolve(platform, pipeline, branch)
    order = life.Order(
        branch=branch,
        source_url=url,
        version=version,
        environment=config_vars.merged({}, config_vars.checked(routing.section(values, "environment"))),
        pr_number=_number(values, "pr_number"),
        fork_repo_id=_number(values, "fork_repo_id"),
    )
    return reply.created(render(await life.create_review_app(platform, pipeline, order)))


async def _resolve(platform: Platform, pipeline: records.Pipeline, branch: str) -> tuple[str, str]:
    """Return the source and the commit of a branch that was pushed to an app of the pipeline."""
    found = await connections.find_branch(platform, pipeline, branch)
    if found is None:
        raise invalid(
            f"No app of the pipeline {pipeline.name} has a branch {branch}: push it to one of them (git push heroku"
            f" {branch}), or name the branch's source in source_blob.url."
        )
    return await connections.keep(platform, found), found.commit


async def show(platform: Platform, request: Request) -> Any:
    """GET /review-apps/:review."""
    return render(_path_review(platform, request))


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /review-apps/:review: begun; it is gone when a GET answers 404."""
    review = _path_review(platform, request)
    await life.delete_review_app(platform, review)
    return render(review)


async def of_app(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/review-app."""
    app = find.path_app(platform, request)
    rows = platform.state.review_apps.where(app_id=app.id)
    if not rows:
        raise not_found("review app")
    return render(rows[0])


async def show_config(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/review-app-config."""
    return render_config(pipelines.path_pipeline(platform, request))


async def enable(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipelines/:pipeline/review-app-config."""
    pipeline = pipelines.path_pipeline(platform, request)
    values = await routing.body(request)
    repo = routing.needed(values, "repo")
    if pipeline.review_config is not None:
        raise conflict("Review apps are already enabled for this pipeline.")
    config = {"repo": repo, "stale_days": 5, "base_name": None, "deploy_target": {"id": "us", "type": "region"}}
    pipeline.review_config = _changed(config | dict.fromkeys(FLAGS, False), values)
    platform.state.pipelines.put(pipeline)
    return reply.created(render_config(pipeline))


async def update_config(platform: Platform, request: Request) -> Any:
    """PATCH /pipelines/:pipeline/review-app-config; other keys, which Heroku's CLI sends, are ignored."""
    pipeline = pipelines.path_pipeline(platform, request)
    values = await routing.body(request)
    render_config(pipeline)
    pipeline.review_config = _changed(pipeline.review_config or {}, values)
    platform.state.pipelines.put(pipeline)
    return render_config(pipeline)


async def disable(platform: Platform, request: Request) -> Any:
    """DELETE /pipelines/:pipeline/review-app-config; the review apps that are there stay."""
    pipeline = pipelines.path_pipeline(platform, request)
    shown = render_config(pipeline)
    pipeline.review_config = None
    platform.state.pipelines.put(pipeline)
    return shown


def _changed(config: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    changed = dict(config)
    for key in FLAGS:
        changed[key] = routing.flag(values, key, changed[key])
    if "base_name" in values:
        changed["base_name"] = routing.text(values, "base_name")
    if "deploy_target" in values:
        changed["deploy_target"] = routing.section(values, "deploy_target") or None
    days = _number(values, "stale_days")
    if days is not None and days not in STALE_DAYS:
        raise invalid("stale_days must be from 1 to 30.")
    return changed | ({"stale_days": days} if days is not None else {})


def _number(values: dict[str, Any], key: str) -> int | None:
    value = values.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise invalid(f"{key} must be a whole number.")


def _path_review(platform: Platform, request: Request) -> records.ReviewApp:
    found = platform.state.review_apps.get(request.path_params["review"])
    if found is None:
        raise not_found("review app")
    return found
