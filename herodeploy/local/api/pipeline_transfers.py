"""Pipeline transfers: a pipeline gets another owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import account, pipelines, routing
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint of pipeline transfers."""
    return [routing.route(platform, "POST", "/pipeline-transfers", create)]


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipeline-transfers: to a user whom this platform knows; it has no teams."""
    values = await routing.body(request)
    wanted = {"pipeline.id": routing.identity(values.get("pipeline"))}
    pipeline = pipelines.find(platform, routing.needed(wanted, "pipeline.id"))
    owner = routing.section(values, "new_owner")
    if routing.needed(owner, "type") != "user":
        raise invalid("new_owner.type must be user: the local platform has no teams.")
    fresh = account.user(account.known(platform, routing.needed(owner, "id")))["id"]
    previous = pipelines.owner(pipeline)
    pipeline.owner_id = None if fresh == account.user()["id"] else fresh
    pipeline.updated_at = platform.now()
    platform.state.pipelines.put(pipeline)
    return reply.created(_render(pipeline.id, previous, pipelines.owner(pipeline)))


def _render(pipeline_id: str, previous: dict[str, str], fresh: dict[str, str]) -> dict[str, Any]:
    return {"pipeline": {"id": pipeline_id}, "previous_owner": previous, "new_owner": fresh}
