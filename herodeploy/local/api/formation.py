"""The formation: how many dynos of each process type, and of what size."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import dyno_sizes, find, routing
from herodeploy.local.lifecycle import releases
from herodeploy.local.wire import ranges
from herodeploy.local.wire.errors import ApiError, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

MOST = 100

_QUANTITY = re.compile(r"[+-]?\d{1,6}")


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of formations."""
    return [
        routing.route(platform, "GET", "/apps/{app}/formation", index),
        routing.route(platform, "PATCH", "/apps/{app}/formation", update_many),
        routing.route(platform, "GET", "/apps/{app}/formation/{type}", show),
        routing.route(platform, "PATCH", "/apps/{app}/formation/{type}", update_one),
    ]


def render(app: records.App, kind: str) -> dict[str, Any]:
    """Return the JSON of one process type."""
    entry = app.formation[kind]
    return {
        "app": {"id": app.id, "name": app.name},
        "command": entry["command"],
        "created_at": datetime.fromisoformat(entry["created_at"]),
        "dyno_size": {"id": dyno_sizes.size_id(entry["size"]), "name": entry["size"]},
        "id": entry["id"],
        "quantity": entry["quantity"],
        "size": entry["size"],
        "type": kind,
        "updated_at": datetime.fromisoformat(entry["updated_at"]),
    }


def size_named(name: str) -> str:
    """Return a dyno size as Heroku writes it.

    Raises:
        ApiError: 422, no such size.
    """
    for size in dyno_sizes.SIZES:
        if size.lower() == name.lower():
            return size
    raise invalid(f"There is no dyno size {name!r}; known: {', '.join(dyno_sizes.SIZES)}.")


async def index(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/formation."""
    app = find.path_app(platform, request)
    rows = [render(app, kind) for kind in app.formation if "command" in app.formation[kind]]
    return ranges.page_of(request, rows, ("type", "id"))


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/formation/:type."""
    app = find.path_app(platform, request)
    return render(app, _kind(app, request.path_params["type"]))


async def update_many(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/formation; answers with what was changed."""
    app = find.path_app(platform, request)
    updates = (await routing.body(request)).get("updates")
    if not isinstance(updates, list) or not all(isinstance(entry, dict) for entry in updates):
        raise invalid("updates must be a list of objects with type, quantity and size.")
    return await _scale(platform, app, updates)


async def update_one(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/formation/:type."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    return (await _scale(platform, app, [values | {"type": request.path_params["type"]}]))[0]


async def _scale(platform: Platform, app: records.App, updates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check every update before the first is made."""
    changes = [_change(app, update) for update in updates]
    for kind, change in changes:
        app.formation[kind] |= change | {"updated_at": platform.now().isoformat()}
        platform.log(app, f"Scaled to {kind}@{change['quantity']}:{change['size']} by user {platform.email}")
    platform.state.apps.put(app)
    await releases.converge(platform, app)
    for kind, _ in changes:
        platform.publish(app, "api:formation", "update", render(app, kind))
    return [render(app, kind) for kind, _ in changes]


def _change(app: records.App, update: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    kind = _kind(app, str(update.get("type") or update.get("id") or update.get("process") or ""))
    entry = app.formation[kind]
    size = routing.identity(update.get("dyno_size")) or routing.text(update, "size")
    return kind, {
        "quantity": _quantity(kind, update.get("quantity"), int(entry["quantity"])),
        "size": size_named(size) if size else entry["size"],
    }


def _quantity(kind: str, wanted: Any, now: int) -> int:
    """Take 2, "2", "+1" and "-1"."""
    if wanted is None:
        return now
    text = str(wanted)
    if isinstance(wanted, bool) or not _QUANTITY.fullmatch(text):
        raise invalid(f"The quantity of {kind} must be a number, or +n or -n.")
    number = now + int(text) if isinstance(wanted, str) and text[0] in "+-" else int(text)
    if not 0 <= number <= MOST:
        raise invalid(f"The quantity of {kind} must be from 0 to {MOST}.")
    return number


def _kind(app: records.App, identity: str) -> str:
    for kind, entry in app.formation.items():
        if "command" in entry and identity in (kind, entry["id"]):
            return kind
    raise ApiError(404, "not_found", f"Couldn't find that process type ({identity}).", resource="formation")
