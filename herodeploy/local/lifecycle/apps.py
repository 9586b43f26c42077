"""Apps come and go."""

from __future__ import annotations

import re
import secrets
import shutil
import uuid
from asyncio import to_thread
from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import addons, releases
from herodeploy.local.lifecycle.couplings import uncouple
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

STACKS = ("heroku-24", "heroku-22")
REGIONS = ("us", "eu")

_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
_FIRST = ("amber", "brisk", "calm", "deep", "early", "fair", "gentle", "high", "keen", "late", "mild", "noble", "quiet")
_SECOND = ("beach", "cliff", "delta", "field", "grove", "hill", "lake", "marsh", "ocean", "pond", "river", "shore")


async def create_app(
    platform: Platform,
    *,
    name: str | None = None,
    stack: str | None = None,
    region: str | None = None,
    hidden: bool = False,
) -> records.App:
    """Create an app with Heroku's two first releases (v1, v2), which hold no code.

    Raises:
        ApiError: 422, the name is taken or not allowed, or there is no such stack or region.
    """
    now = platform.now()
    app = records.App(
        id=str(uuid.uuid4()),
        name=_checked(platform, name) if name is not None else _free_name(platform),
        created_at=now,
        updated_at=now,
        stack=_stack(stack),
        region=_one_of(region or "us", REGIONS, "region"),
        hidden=hidden,
    )
    releases.begin(platform, app)
    app.router_port = await platform.open_port(app)
    platform.state.apps.put(app)
    platform.publish(app, "api:app", "create", app)
    return app


async def update_app(
    platform: Platform, app: records.App, *, name: str | None, maintenance: bool, stack: str | None
) -> None:
    """Rename an app, switch its maintenance page, or choose the stack of its next build.

    Raises:
        ApiError: 422, the new name is taken or not allowed, or there is no such stack.
    """
    renamed = _checked(platform, name) if name and name != app.name else app.name
    if stack:
        _choose_stack(platform, app, _stack(stack))
    if app.maintenance != maintenance:
        platform.log(app, f"Maintenance mode {'on' if maintenance else 'off'} by user {platform.email}")
    app.maintenance = maintenance
    app.updated_at = platform.now()
    moved = renamed != app.name
    app.name = renamed
    platform.state.apps.put(app)
    if moved:
        await platform.close_port(app)
        app.router_port = await platform.open_port(app)
        platform.state.apps.put(app)
        await releases.converge(platform, app)
    platform.publish(app, "api:app", "update", app)


def _choose_stack(platform: Platform, app: records.App, stack: str) -> None:
    """Build for another stack from now on; an app without code is on it at once, others with their next build."""
    current = platform.current_release(app)
    if current is None or current.slug_id is None:
        app.stack = stack
    app.build_stack = None if stack == app.stack else stack


async def destroy_app(platform: Platform, app: records.App, *, wait: bool = False) -> None:
    """Destroy an app with all that is its own; slugs that other apps run stay.

    Parameters:
        wait: for its dynos to have ended; else they end while the caller goes on.
    """
    await _stop_work(platform, app)
    if platform.state.apps.get(app.id) is None:
        return
    platform.publish(app, "api:app", "destroy", app)
    own = [row for row in addons.of_app(platform, app) if row.app_id == app.id]
    for addon in own:
        platform.publish(app, "api:addon", "destroy", addon)
    left = _forget(platform, app)  # with nothing awaited since its work ended: none can begin any more
    await platform.close_port(app)
    key = f"destroy:{app.id}"
    platform.jobs.start(key, _clear(platform, app, left, own))
    if wait:
        await platform.jobs.settled(key)


async def _stop_work(platform: Platform, app: records.App) -> None:
    """Cut builds and releases off, also those that begin while others end."""
    while True:
        builds = [row.id for row in platform.state.builds.where(app_id=app.id) if platform.builds.running(row.id)]
        phases = [row.id for row in platform.state.releases.where(app_id=app.id) if platform.releases.running(row.id)]
        if not builds and not phases:
            return
        for key in builds:
            await platform.builds.cancel(key)
        for key in phases:
            await platform.releases.cancel(key)


def _forget(platform: Platform, app: records.App) -> list[Path]:
    """Delete an app's records; return the files that nothing needs any more."""
    state = platform.state
    with state.changes():
        for build in state.builds.where(app_id=app.id):
            platform.streams.forget(build.stream_id)
            state.builds.delete(build.id)
        for row in state.releases.where(app_id=app.id):
            if row.stream_id:
                platform.streams.forget(row.stream_id)
            state.releases.delete(row.id)
        for coupling in state.couplings.where(app_id=app.id):
            uncouple(platform, coupling)
        for table in (
            state.domains,
            state.collaborators,
            state.webhooks,
            state.webhook_deliveries,
            state.webhook_events,
        ):
            table.delete_where(app_id=app.id)
        addons.forget_app(platform, app)
        for review in state.review_apps.where(app_id=app.id):
            if review.status != "deleting":
                state.review_apps.delete(review.id)
        state.apps.delete(app.id)
        used = {row.slug_id for row in state.releases}
        unused = [slug for slug in state.slugs.where(app_id=app.id) if slug.id not in used]
        for slug in unused:
            state.slugs.delete(slug.id)
    return [platform.settings.slugs / f"{slug.id}.tgz" for slug in unused]


async def _clear(platform: Platform, app: records.App, files: list[Path], own: list[records.Addon]) -> None:
    await platform.supervisor.remove(app.id)
    platform.logs.forget(app.id)
    for file in files:
        file.unlink(missing_ok=True)
    await to_thread(shutil.rmtree, platform.settings.caches / app.id, ignore_errors=True)
    for addon in own:
        await addons.remove(platform, addon)
    await platform.repositories.forget(app.id)


def _checked(platform: Platform, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise invalid(
            "Name must be 3 to 30 characters long, with lowercase letters, digits and dashes only; it must start with"
            " a letter and end with a letter or a digit."
        )
    if platform.app_named(name) is not None:
        raise invalid("Name is already taken")
    return name


def _free_name(platform: Platform) -> str:
    while True:
        number = 10_000 + secrets.randbelow(90_000)
        name = f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{number}"
        if platform.app_named(name) is None:
            return name


def _stack(name: str | None) -> str:
    return STACKS[0] if name in (None, "cedar") else _one_of(str(name), STACKS, "stack")


def _one_of(name: str, known: tuple[str, ...], what: str) -> str:
    if name not in known:
        raise invalid(f"There is no {what} {name!r} here; known: {', '.join(known)}.")
    return name
