"""The API that commands a platform: faults, the log of requests, the clock, a clean slate.

It has a prefix and a token of its own (``control-token`` in the data folder): who tests against the platform may hold
its Heroku token without being able to break it.
"""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.lifecycle import apps, housekeeping, pipelines
from herodeploy.local.rehearsal.faults import Fault
from herodeploy.local.wire import auth, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

TYPES = {"kind": str, "route": str, "count": int, "probability": float, "seed": int, "seconds": float, "bytes": int}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints."""
    at = auth.CONTROL
    return [
        routing.route(platform, "GET", f"{at}faults", index),
        routing.route(platform, "POST", f"{at}faults", add),
        routing.route(platform, "DELETE", f"{at}faults", clear),
        routing.route(platform, "DELETE", f"{at}faults/{{fault}}", remove),
        routing.route(platform, "GET", f"{at}requests", requests),
        routing.route(platform, "DELETE", f"{at}requests", forget_requests),
        routing.route(platform, "GET", f"{at}clock", clock),
        routing.route(platform, "POST", f"{at}clock", advance),
        routing.route(platform, "POST", f"{at}reset", reset),
    ]


async def index(platform: Platform, request: Request) -> Any:
    """List the faults that stand."""
    return [fault.plain() for fault in platform.faults]


async def add(platform: Platform, request: Request) -> reply.Reply:
    """Order a fault; parameters as of `Fault`."""
    values = await routing.body(request)
    for key, value in values.items():
        if key not in TYPES:
            raise invalid(f"There is no {key!r}; known: {', '.join(TYPES)}.")
        number = TYPES[key] is float and type(value) in (int, float)
        if not number and type(value) is not TYPES[key] and not (key == "count" and value is None):
            raise invalid(f"{key} must be {TYPES[key].__name__}, not {value!r}.")
    try:
        return reply.created(platform.faults.add(Fault(**{"kind": "", **values})).plain())
    except ValueError as problem:
        raise invalid(f"{problem}.") from None


async def clear(platform: Platform, request: Request) -> Any:
    """Withdraw all faults."""
    platform.faults.clear()
    return []


async def remove(platform: Platform, request: Request) -> Any:
    """Withdraw one fault."""
    if not platform.faults.remove(request.path_params["fault"]):
        raise not_found("fault")
    return {"id": request.path_params["fault"]}


async def requests(platform: Platform, request: Request) -> Any:
    """List the newest requests, oldest first."""
    return [asdict(noted) for noted in platform.requests]


async def forget_requests(platform: Platform, request: Request) -> Any:
    """Forget all requests so far."""
    platform.requests.clear()
    return []


async def clock(platform: Platform, request: Request) -> Any:
    """Tell the time."""
    return {"now": platform.now(), "ahead": platform.clock.ahead}


async def advance(platform: Platform, request: Request) -> Any:
    """Let seconds pass, and do what would have happened in them: releases expire, stale review apps go."""
    seconds = (await routing.body(request)).get("seconds")
    if type(seconds) not in (int, float):
        raise invalid("seconds must be a number.")
    try:
        platform.clock.advance(float(str(seconds)))
    except ValueError as problem:
        raise invalid(f"{problem}.") from None
    await housekeeping.tidy(platform)
    return await clock(platform, request)


async def reset(platform: Platform, request: Request) -> Any:
    """Destroy every app and pipeline and withdraw all faults; the token, the port and the clock stay."""
    platform.faults.clear()
    for review in platform.state.review_apps:
        await platform.jobs.cancel(review.id)
        await platform.jobs.cancel(f"delete:{review.id}")
        platform.state.review_apps.delete(review.id)
    for pipeline in platform.state.pipelines:
        await pipelines.destroy_pipeline(platform, pipeline)
    for app in platform.state.apps:
        await apps.destroy_app(platform, app, wait=True)
    for table in (platform.state.authorizations, platform.state.accounts):
        table.delete_where()
    platform.requests.clear()
    return {}
