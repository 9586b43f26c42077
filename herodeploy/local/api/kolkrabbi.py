"""Heroku's GitHub side, kolkrabbi.heroku.com, as far as the Heroku CLI asks it: which repository belongs to what.

There is no GitHub here. The repository of a pipeline is what was pushed to its apps, and its apps are linked to that.
"""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, find, pipelines, routing
from herodeploy.local.git import connections
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

LINK: dict[str, Any] = {
    "auto_deploy": False,
    "branch": None,
    "pull_requests": {"enabled": False, "auto_deploy": False, "auto_destroy": False, "space_id": None},
    "wait_for_ci": False,
}
"""What can be set about the link of an app."""


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints, which are on a host of their own."""
    return [
        routing.route(platform, "GET", "/account/github/token", token),
        routing.route(platform, "GET", "/apps/{app}/github", link),
        routing.route(platform, "POST", "/apps/{app}/github", change_link),
        routing.route(platform, "PATCH", "/apps/{app}/github", change_link),
        routing.route(platform, "GET", "/pipelines/{pipeline}/github", links),
        routing.route(platform, "GET", "/pipelines/{pipeline}/repository", repository),
        routing.route(platform, "POST", "/pipelines/{pipeline}/repository", connect),
        routing.route(platform, "PATCH", "/pipelines/{pipeline}/repository", repository),
        routing.route(platform, "GET", "/github/repos/{owner}/{name}/tarball/{ref:path}", tarball),
    ]


async def token(platform: Platform, request: Request) -> Any:
    """GET /account/github/token: one that opens nothing but what `github` serves."""
    user = account.user()["id"]
    return {
        "id": account.fixed_id("github"),
        "heroku": {"user_id": user},
        "github": {"user_id": 1, "token": platform.github_token},
    }


async def link(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/github: the repository of its pipeline; 404 for an app in none."""
    return _link(platform, find.path_app(platform, request))


async def change_link(platform: Platform, request: Request) -> Any:
    """POST and PATCH /apps/:app/github: kept and shown; what is deployed is what is pushed."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    _link(platform, app)
    app.github = {**app.github, **{key: value for key, value in values.items() if key in LINK}}
    platform.state.apps.put(app)
    return _link(platform, app)


async def links(platform: Platform, request: Request) -> Any:
    """GET /pipelines/:pipeline/github."""
    pipeline = pipelines.path_pipeline(platform, request)
    apps = [platform.state.apps.get(row.app_id) for row in platform.state.couplings.where(pipeline_id=pipeline.id)]
    return [_link(platform, app) for app in apps if app is not None]


async def repository(platform: Platform, request: Request) -> Any:
    """GET and PATCH /pipelines/:pipeline/repository; CI is always on, and it belongs to no organization."""
    return _repository(pipelines.path_pipeline(platform, request))


async def connect(platform: Platform, request: Request) -> reply.Reply:
    """POST /pipelines/:pipeline/repository: the only one that can be is connected already."""
    pipeline = pipelines.path_pipeline(platform, request)
    wanted = (await routing.body(request)).get("repository")
    if wanted != connections.number(connections.full_name(pipeline)):
        raise not_found("repository")
    return reply.created(_repository(pipeline))


async def tarball(platform: Platform, request: Request) -> Any:
    """GET /github/repos/:owner/:name/tarball/:ref: 404 lets the CLI upload what it has, which is better anyway."""
    path = request.path_params
    rows = platform.state.pipelines.where(name=path["name"]) if path["owner"] == connections.OWNER else []
    for pipeline in rows:
        branch = await connections.find_branch(platform, pipeline, path["ref"])
        if branch is not None:
            return {"archive_link": await connections.keep(platform, branch)}
    raise not_found("commit")


def _link(platform: Platform, app: records.App) -> dict[str, Any]:
    couplings = platform.state.couplings.where(app_id=app.id)
    pipeline = platform.state.pipelines.get(couplings[0].pipeline_id) if couplings else None
    if pipeline is None:
        raise not_found("app link")
    name = connections.full_name(pipeline)
    about = {
        "app_id": app.id,
        "id": account.fixed_id(f"link:{app.id}"),
        "owner": {"id": connections.number(connections.OWNER), "name": connections.OWNER},
        "repo": name,
        "repo_host": "github",
        "repo_id": connections.number(name),
    }
    return LINK | app.github | about


def _repository(pipeline: records.Pipeline) -> dict[str, Any]:
    name = connections.full_name(pipeline)
    return {
        "ci": True,
        "owner": {"id": account.user()["id"], "heroku": {"user_id": account.user()["id"]}},
        "repository": {"id": connections.number(name), "name": name, "type": "github"},
        "statuses": True,
    }
