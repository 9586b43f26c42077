"""Pipelines, and what their apps run lately."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, builds, releases, routing
from herodeploy.local.lifecycle import pipelines as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import forbidden, invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("name", "id", "created_at", "updated_at")

_NAME = re.compile(r"[a-z][a-z0-9-]{2,29}")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of pipelines."""
    return [
        routing.route(platform, "GET", "/pipelines", index),
        routing.route(platform, "POST", "/pipelines", create),
        routing.route(platform, "GET", "/pipelines/{pipeline}", show),
        routing.route(platform, "PATCH", "/pipelines/{pipeline}", update),
        routing.route(platform, "DELETE", "/pipelines/{pipeline}", destroy),
        routing.route(platform, "GET", "/pipelines/{pipeline}/pipeline-stack", stack),
        routing.route(platform, "GET", "/pipelines/{pipeline}/latest-releases", latest_releases),
        routing.route(platform, "GET", "/pipelines/{pipeline}/latest-builds", latest_builds),
        routing.route(platform, "GET", "/pipelines/{pipeline}/latest-deployments", latest_deployments),
    ]


def render(pipeline: records.Pipeline) -> dict[str, Any]:
    """Return a pipeline's JSON."""
    return {
        "created_at": pipeline.created_at,
        "generation": account.CEDAR,
        "id": pipeline.id,
        "name": pipeline.name,
        "owner": owner(pipeline),
        "updated_at": pipeline.updated_at,
    }


def owner(pipeline: records.Pipeline) -> dict[str, str]:
    """Return who owns a pipeline."""
    return {"id": pipeline.owner_id or account.user()["id"], "type": "user"}


def find(platform: Platform, identity: str) -> records.Pipeline:
    """Return the pipeline of that id or name, the oldest where a name is used twice.

    Raises:
        ApiError: 404, no such pipeline; 403, it was removed because it had no app (as hatchet has seen on Heroku).
    """
    if identity in platform.swept:
        raise forbidden(f"You do not have access to the pipeline {identity}.")
    named = platform.state.pipelines.where(name=identity)
    found = platform.state.pipelines.get(identity) or (named[0] if named else None)
    if found is None:
        raise not_found("pipeline")
    return found


def path_pipeline(platform: Platform, request: Request) -> records.Pipeline:
    """Return the pipeline that ``{pipeline}`` in the request's path names; 404 otherwise."""
    return find(platform, request.path_params["pipeline"])


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipelines; ``?eq[name]=`` keeps those of that name, which may be none or several."""
    rows = list(platform.state.pipelines)
    name = request.query_params.get("eq[name]")
    return ranges.page(request, [row for row in rows if name in (None, row.name)], render, KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipelines."""
    values = await routing.body(request)
    now = platform.now()
    name = _checked(routing.needed(values, "name"))
    row = records.Pipeline(id=str(uuid.uuid4()), name=name, created_at=now, updated_at=now)
    return reply.created(render(platform.state.pipelines.put(row)))


async def show(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline."""
    return render(path_pipeline(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /pipelines/:pipeline."""
    pipeline = path_pipeline(platform, request)
    name = routing.text(await routing.body(request), "name")
    if name is not None:
        pipeline.name = _checked(name)
        pipeline.updated_at = platform.now()
        platform.state.pipelines.put(pipeline)
    return render(pipeline)


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /pipelines/:pipeline; its apps stay."""
    pipeline = path_pipeline(platform, request)
    await life.destroy_pipeline(platform, pipeline)
    return render(pipeline)


async def stack(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/pipeline-stack: that of the app that joined it last."""
    found = [platform.state.apps.get(app_id) for app_id in _app_ids(platform, request)]
    stacks = [app.stack for app in found if app is not None]
    return {"stack": account.stack(stacks[-1] if stacks else account.STACKS[0])}


async def latest_releases(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/latest-releases: the newest of each app, whatever its status."""
    found = [releases.render(platform, rows[-1]) for rows in _releases(platform, request) if rows]
    return ranges.page_of(request, found)


async def latest_builds(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/latest-builds: the newest of each app, whatever its status."""
    found = [platform.state.builds.where(app_id=app_id) for app_id in _app_ids(platform, request)]
    return ranges.page_of(request, [_plain(builds.render(platform, rows[-1])) for rows in found if rows])


async def latest_deployments(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/latest-deployments: the newest release of each app that brought other code."""
    found = [_deployment(rows) for rows in _releases(platform, request)]
    return ranges.page_of(request, [releases.render(platform, row) for row in found if row is not None])


def _plain(build: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the schema allows in an app's builds only."""
    return {key: value for key, value in build.items() if key != "generation"}


def _app_ids(platform: Platform, request: Request) -> list[str]:
    pipeline = path_pipeline(platform, request)
    return [coupling.app_id for coupling in platform.state.couplings.where(pipeline_id=pipeline.id)]


def _releases(platform: Platform, request: Request) -> list[list[records.Release]]:
    return [platform.state.releases.where(app_id=app_id) for app_id in _app_ids(platform, request)]


def _deployment(rows: Iterable[records.Release]) -> records.Release | None:
    newest: records.Release | None = None
    slug_id: str | None = None
    for row in rows:
        if row.slug_id is not None and row.slug_id != slug_id:
            newest = row
        slug_id = row.slug_id
    return newest


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise invalid(
            "Name must be 3 to 30 characters long, with lowercase letters, digits and dashes only, and start with a"
            " letter."
        )
    return name
