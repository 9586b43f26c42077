"""Dyno sizes and generations: what Heroku sells; here they are names, and cost nothing."""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import account, find, routing
from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


class Size(NamedTuple):
    """What Heroku writes about a size: its share of a processor, and its memory in GB."""

    compute: int
    memory: float
    dedicated: bool = False


SIZES = {
    "Eco": Size(1, 0.5),
    "Basic": Size(1, 0.5),
    "Standard-1X": Size(1, 0.5),
    "Standard-2X": Size(2, 1),
    "Performance-M": Size(12, 2.5, dedicated=True),
    "Performance-L": Size(50, 14, dedicated=True),
    "Performance-L-RAM": Size(24, 30, dedicated=True),
}


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of dyno sizes and generations."""
    return [
        routing.route(platform, "GET", "/dyno-sizes", index),
        routing.route(platform, "GET", "/dyno-sizes/{size}", show),
        routing.route(platform, "GET", "/apps/{app}/available-dyno-sizes", available),
        routing.route(platform, "GET", "/generations", generations),
        routing.route(platform, "GET", "/generations/{generation}", show_generation),
    ]


def size_id(name: str) -> str:
    """Return the id of a size."""
    return account.fixed_id(f"size:{name}")


def render(name: str) -> dict[str, Any]:
    """Return a dyno size's JSON."""
    size = SIZES[name]
    return {
        "architecture": "amd64",
        "compute": size.compute,
        "cost": None,
        "dedicated": size.dedicated,
        "generation": account.CEDAR,
        "id": size_id(name),
        "memory": size.memory,
        "name": name,
        "precise_dyno_units": float(size.compute),
        "private_space_only": False,
    }


async def index(platform: Platform, request: Request) -> Any:
    """GET /dyno-sizes."""
    return ranges.page_of(request, [render(name) for name in SIZES], account.NAMED)


async def show(platform: Platform, request: Request) -> Any:
    """GET /dyno-sizes/:size."""
    wanted = request.path_params["size"]
    for name in SIZES:
        if wanted.lower() in (name.lower(), size_id(name)):
            return render(name)
    raise not_found("dyno size")


async def available(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/available-dyno-sizes."""
    find.path_app(platform, request)
    return ranges.page_of(request, [render(name) for name in SIZES], account.NAMED)


async def generations(platform: Platform, request: Request) -> Any:
    """GET /generations: Cedar alone."""
    return ranges.page_of(request, [_cedar()], account.NAMED)


async def show_generation(platform: Platform, request: Request) -> Any:
    """GET /generations/:generation."""
    if request.path_params["generation"] not in account.CEDAR.values():
        raise not_found("generation")
    return _cedar()


def _cedar() -> dict[str, Any]:
    return account.CEDAR | {"created_at": account.EPOCH, "updated_at": account.EPOCH}
