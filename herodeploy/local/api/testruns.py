"""Test runs, their nodes, and the cases that tests in TAP tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, dynos, pipelines, routing
from herodeploy.local.lifecycle import debugging
from herodeploy.local.lifecycle import nodes as node_life
from herodeploy.local.lifecycle import testruns as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

HELD = 1.0
"""Seconds that a look at a run that goes on is held, as long as nothing changes.

The Heroku CLI asks again and again without a pause (ci:run); so it stays below what the rate limit gives back.
"""
HEROKU_CLI = "heroku-cli/"
KEYS = ("number", "id", "created_at")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of test runs."""
    return [
        routing.route(platform, "POST", "/test-runs", create),
        routing.route(platform, "GET", "/test-runs/{run}", show),
        routing.route(platform, "PATCH", "/test-runs/{run}", update),
        routing.route(platform, "GET", "/test-runs/{run}/test-nodes", nodes),
        routing.route(platform, "GET", "/test-runs/{run}/test-cases", cases),
        routing.route(platform, "GET", "/pipelines/{pipeline}/test-runs", index),
        routing.route(platform, "GET", "/pipelines/{pipeline}/test-runs/{number}", of_pipeline),
    ]


def render(run: records.TestRun) -> dict[str, Any]:
    """Return a test run's JSON."""
    return {
        "actor_email": account.EMAIL,
        "app_setup": {"id": run.app_setup_id} if run.app_setup_id else None,
        "clear_cache": run.clear_cache,
        "commit_branch": run.commit_branch,
        "commit_message": run.commit_message,
        "commit_sha": run.commit_sha,
        "created_at": run.created_at,
        "debug": run.debug,
        "dyno": None,
        "id": run.id,
        "message": run.message,
        "number": run.number,
        "organization": None,
        "pipeline": {"id": run.pipeline_id},
        "source_blob_url": run.source_blob_url,
        "status": run.status,
        "updated_at": run.updated_at,
        "user": account.whole(),
        "warning_message": run.warning_message,
    }


def render_node(platform: Platform, node: records.TestNode, *, secure: bool = False) -> dict[str, Any]:
    """Return a node's JSON; `secure` when its output is read by https only."""
    dyno = debugging.dyno(platform, node)
    url = platform.streams.secure_url if secure else platform.streams.url
    return {
        "created_at": node.created_at,
        "dyno": {"id": dyno.id, "attach_url": dyno.attach_url} if dyno else None,
        "error_status": node.error_status,
        "exit_code": node.exit_code,
        "id": node.id,
        "index": node.index,
        "message": node.message,
        "output_stream_url": url(node.output_stream_id),
        "pipeline": {"id": node.pipeline_id},
        "setup_stream_url": url(node.setup_stream_id),
        "status": node.status,
        "test_run": {"id": node.test_run_id},
        "updated_at": node.updated_at,
    }


def render_case(case: records.TestCase) -> dict[str, Any]:
    """Return a test case's JSON."""
    return {
        "created_at": case.created_at,
        "description": case.description,
        "diagnostic": case.diagnostic,
        "directive": case.directive,
        "id": case.id,
        "number": case.number,
        "passed": case.passed,
        "test_node": {"id": case.test_node_id},
        "test_run": {"id": case.test_run_id},
        "updated_at": case.updated_at,
    }


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /test-runs."""
    values = await routing.body(request)
    pipeline = pipelines.find(
        platform, routing.needed({"pipeline": routing.identity(values.get("pipeline"))}, "pipeline")
    )
    order = life.Order(
        source_url=routing.needed(values, "source_blob_url"),
        branch=routing.needed(values, "commit_branch"),
        sha=routing.needed(values, "commit_sha"),
        message=routing.text(values, "commit_message") or "",
        clear_cache=routing.flag(values, "clear_cache"),
        debug=routing.flag(values, "debug"),
    )
    if order.debug:
        await dynos.open_doors(platform)
    return reply.created(render(await life.create_test_run(platform, pipeline, order)))


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /pipelines/:pipeline/test-runs."""
    pipeline = pipelines.path_pipeline(platform, request)
    return ranges.page(request, platform.state.test_runs.where(pipeline_id=pipeline.id), render, KEYS)


async def of_pipeline(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/test-runs/:number; held for a moment while the run goes on."""
    pipeline = pipelines.path_pipeline(platform, request)
    number = request.path_params["number"]
    rows = platform.state.test_runs.where(pipeline_id=pipeline.id, number=int(number)) if number.isdecimal() else []
    if not rows:
        raise not_found("test run")
    await life.change(platform, rows[0], HELD)
    return render(rows[0])


async def show(platform: Platform, request: Request) -> Any:
    """GET /test-runs/:id."""
    return render(_path_run(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /test-runs/:id: cancel it; one that has ended stays as it is."""
    run = _path_run(platform, request)
    values = await routing.body(request)
    if routing.needed(values, "status") != "cancelled":
        raise invalid("status can only be set to cancelled.")
    await life.cancel_test_run(platform, run, routing.text(values, "message") or "")
    return render(run)


async def nodes(platform: Platform, request: Request) -> reply.Reply:
    """GET /test-runs/:id/test-nodes."""
    rows = node_life.of_run(platform, _path_run(platform, request))
    # The Heroku CLI reads these streams by https and in no other way; other clients need not trust our certificate.
    secure = platform.doors.are_open and request.headers.get("user-agent", "").startswith(HEROKU_CLI)
    return ranges.page(request, rows, lambda row: render_node(platform, row, secure=secure), ("index", "id"))


async def cases(platform: Platform, request: Request) -> reply.Reply:
    """GET /test-runs/:id/test-cases."""
    run = _path_run(platform, request)
    return ranges.page(request, platform.state.test_cases.where(test_run_id=run.id), render_case, ("number", "id"))


def _path_run(platform: Platform, request: Request) -> records.TestRun:
    found = platform.state.test_runs.get(request.path_params["run"])
    if found is None:
        raise not_found("test run")
    return found
