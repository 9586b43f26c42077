"""The one account of a local platform, its rate limit, and what a platform offers: stacks, regions, sizes."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import routing
from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

EMAIL = "local@localhost"
STACKS = ("heroku-24", "heroku-22")
REGIONS = {"us": "United States", "eu": "Europe"}
SUBSTRATE = {"us": "us-east-1", "eu": "eu-west-1"}
"""The schema allows names of real places only."""
NAMED = ("name", "id")
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def fixed_id(name: str) -> str:
    """Return the id of something that every local platform has, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"herodeploy-local:{name}"))


CEDAR = {"id": fixed_id("generation:cedar"), "name": "cedar"}


def user(email: str = EMAIL) -> dict[str, str]:
    """Return the short form of a user, as other resources carry it."""
    return {"id": fixed_id("account" if email == EMAIL else f"user:{email}"), "email": email}


def stack(name: str) -> dict[str, str]:
    """Return the short form of a stack."""
    return {"id": fixed_id(f"stack:{name}"), "name": name}


def region(name: str) -> dict[str, str]:
    """Return the short form of a region."""
    return {"id": fixed_id(f"region:{name}"), "name": name}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of the account and of what the platform offers."""
    return [
        routing.route(platform, "GET", "/account", show),
        routing.route(platform, "GET", "/account/rate-limits", rate_limits),
        routing.route(platform, "GET", "/users/{user}", show),
        routing.route(platform, "GET", "/stacks", stacks),
        routing.route(platform, "GET", "/stacks/{stack}", show_stack),
        routing.route(platform, "GET", "/apps/{app}/available-stacks", stacks),
        routing.route(platform, "GET", "/regions", regions),
        routing.route(platform, "GET", "/regions/{region}", show_region),
    ]


async def show(platform: Platform, request: Request) -> Any:
    """GET /account and GET /users/~."""
    return whole(known(platform, request.path_params.get("user", "~")))


def known(platform: Platform, identity: str) -> str:
    """Return the e-mail address of a user: the account itself, or a collaborator of one of its apps.

    Raises:
        ApiError: 404, nobody whom this platform knows.
    """
    for email in (EMAIL, *(row.email for row in platform.state.collaborators)):
        if identity in (email, user(email)["id"]) or (identity == "~" and email == EMAIL):
            return email
    raise not_found("user")


def whole(email: str = EMAIL) -> dict[str, Any]:
    """Return a user with all that is known, as test runs carry it."""
    return user(email) | {
        "allow_tracking": False,
        "beta": False,
        "country_of_residence": None,
        "created_at": EPOCH,
        "default_organization": None,
        "default_team": None,
        "delinquent_at": None,
        "federated": False,
        "identity_provider": None,
        "last_login": None,
        "name": "local" if email == EMAIL else None,
        "sms_number": None,
        "suspended_at": None,
        "two_factor_authentication": False,
        "updated_at": EPOCH,
        "verified": False,
    }


async def rate_limits(platform: Platform, request: Request) -> Any:
    """GET /account/rate-limits."""
    return {"remaining": platform.limiter.remaining}


async def stacks(platform: Platform, request: Request) -> Any:
    """GET /stacks."""
    return ranges.page_of(request, [_stack(name) for name in STACKS], NAMED)


async def show_stack(platform: Platform, request: Request) -> Any:
    """GET /stacks/:stack."""
    wanted = request.path_params["stack"]
    for name in STACKS:
        if wanted in (name, fixed_id(f"stack:{name}")):
            return _stack(name)
    raise not_found("stack")


async def regions(platform: Platform, request: Request) -> Any:
    """GET /regions."""
    return ranges.page_of(request, [_region(name) for name in REGIONS], NAMED)


async def show_region(platform: Platform, request: Request) -> Any:
    """GET /regions/:region."""
    wanted = request.path_params["region"]
    for name in REGIONS:
        if wanted in (name, fixed_id(f"region:{name}")):
            return _region(name)
    raise not_found("region")


def _stack(name: str) -> dict[str, Any]:
    return stack(name) | {
        "created_at": EPOCH,
        "default": name == STACKS[0],
        "state": "public",
        "updated_at": EPOCH,
    }


def _region(name: str) -> dict[str, Any]:
    return region(name) | {
        "country": REGIONS[name],
        "created_at": EPOCH,
        "description": REGIONS[name],
        "locale": "this machine",
        "private_capable": False,
        "provider": {"name": "herodeploy", "region": SUBSTRATE[name]},
        "updated_at": EPOCH,
    }
