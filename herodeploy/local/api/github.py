"""One call of api.github.com, for ``heroku pipelines:diff``: what lies between two commits that were pushed here.

Nothing else of GitHub is served. Its repositories are those of pipelines, see `herodeploy.local.git.connections`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.git import connections
from herodeploy.local.git.comparison import Commit, Comparison
from herodeploy.local.wire import reply
from herodeploy.local.wire.errors import ApiError, stopping

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoint, which is on a host of its own."""
    return [routing.route(platform, "GET", "/repos/{owner}/{name}/compare/{base}...{head}", compare)]


async def unknown(_: Request, problem: Exception) -> Response:  # noqa: ARG001 # Starlette gives both
    """Answer whatever else is asked with 404."""
    message = (
        "This is not GitHub but herodeploy's local platform; here api.github.com compares pushed commits and has"
        " nothing else."
    )
    return reply.error(ApiError(404, "not_found", message))


async def compare(platform: Platform, request: Request) -> Any:
    """GET /repos/:owner/:repo/compare/:base...:head, two whole hashes, with the token that kolkrabbi gave.

    The fields are GitHub's, without addresses at GitHub and without files:
    https://docs.github.com/en/rest/commits/commits#compare-two-commits.
    """
    if not _is_known(platform, request.headers.get("authorization", "")):
        raise ApiError(401, "unauthorized", "Bad credentials: this is the local platform, which gives a token itself.")
    if platform.stopping:
        raise stopping()
    path = request.path_params
    base, head = path["base"], path["head"]
    if path["owner"] == connections.OWNER and HASH.fullmatch(base) and HASH.fullmatch(head):
        for pipeline in platform.state.pipelines.where(name=path["name"]):
            found = await connections.compare(platform, pipeline, base, head)
            if found is not None:
                return _about(found)
    raise ApiError(404, "not_found", "Those two commits were not both pushed to the pipeline's apps.")


def _is_known(platform: Platform, header: str) -> bool:
    """Tell whether a header carries the token that was handed out for this host, which opens nothing else."""
    kind, _, value = header.strip().partition(" ")
    known = secrets.compare_digest(value.strip().encode(), platform.github_token.encode())
    return known and kind.lower() in ("token", "bearer")


def _about(found: Comparison) -> dict[str, Any]:
    return {
        "status": _status(found),
        "ahead_by": found.ahead,
        "behind_by": found.behind,
        "total_commits": found.ahead,
        "merge_base_commit": {"sha": found.merge_base},
        "commits": [_commit(each) for each in found.commits],
    }


def _status(found: Comparison) -> str:
    if found.ahead and found.behind:
        return "diverged"
    return "ahead" if found.ahead else "behind" if found.behind else "identical"


def _commit(commit: Commit) -> dict[str, Any]:
    details = {"author": asdict(commit.author), "committer": asdict(commit.committer), "message": commit.message}
    return {"sha": commit.sha, "commit": details, "parents": [{"sha": parent} for parent in commit.parents]}
