"""Releases: a slug and config vars become what an app runs, after the release phase said yes.

Releases of one app settle in the order of their numbers; a failed number is burnt and the old release keeps serving.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.dynos.supervisor import Plan
from herodeploy.local.lifecycle import attachments
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FIRST = ("Initial release", "Enable Logplex")
"""What every app begins with, on Heroku too: v1 and v2, which hold no code."""

PHASE = "release"
"""The process type that is the release phase: never a dyno of the formation."""

DEFAULT_SIZE = "Basic"

CRASH = "echo 'crashing on boot: a fault was ordered'; exit 1"


def begin(platform: Platform, app: records.App) -> None:
    """Record a new app with its first releases, all or nothing: an app is never without a current release."""
    with platform.state.changes():
        platform.state.apps.put(app)
        for description in FIRST:
            _take_over(platform, app, _record(platform, app, None, app.config, description), None)


async def release(
    platform: Platform,
    app: records.App,
    *,
    slug_id: str | None,
    config: Mapping[str, str],
    description: str,
    run_phase: bool = True,
    keep_code: bool = False,
    undo_config: bool = False,
    beside: Callable[[], None] | None = None,
) -> records.Release:
    """Make a release; its row is there at once, and final at once where nothing has to run first.

    Wait for the end with ``await platform.releases.settled(release.id)``.

    Parameters:
        config: all config vars from now on; they become the app's.
        run_phase: whether the slug's ``release`` command runs.
        keep_code: take the slug that is current when this release's turn comes (a change of config vars).
        undo_config: give the app its config vars back when the release fails (a rollback).
        beside: writes of the caller's that become true together with the release.
    """
    before = dict(app.config) if undo_config else None
    with platform.state.changes():
        if beside is not None:
            beside()
        row = _record(platform, app, slug_id, config, description)
    busy = any(r.status == "pending" and r.id != row.id for r in platform.state.releases.where(app_id=app.id))
    if run_phase and _command(platform, row) is not None:
        row.stream_id = platform.streams.create()
        platform.state.releases.put(row)
        platform.log(app, f"Running release v{row.version} commands by user {platform.email}")
    platform.publish(app, "api:release", "create", row)
    if row.stream_id is None and not busy:
        await _make_current(platform, app, row)
    else:
        platform.releases.start(row.id, _settle(platform, app, row, keep_code, before))
    return row


async def rollback(platform: Platform, app: records.App, target: records.Release) -> records.Release:
    """Make a new release of an earlier one's slug and config vars; what add-ons give stays as it is.

    Raises:
        ApiError: 422, that release has no code, or never served.
    """
    if not is_eligible(target):
        raise invalid(f"Cannot roll back to v{target.version}: it {_why_not(target)}.")
    return await release(
        platform,
        app,
        slug_id=target.slug_id,
        config=attachments.after_rollback(platform, app, target),
        description=f"Rollback to v{target.version}",
        undo_config=True,
    )


def is_eligible(row: records.Release) -> bool:
    """Tell whether one can roll back to this release."""
    return row.status == "succeeded" and row.slug_id is not None


async def converge(platform: Platform, app: records.App) -> None:
    """Make the app's dynos what its current release and formation ask for."""
    current = platform.current_release(app)
    if current is not None:
        try:
            await platform.supervisor.converge(plan(platform, app, current))
        except OSError as problem:
            platform.log(app, f"Cannot start dynos: {problem.strerror or problem}")


def plan(platform: Platform, app: records.App, row: records.Release) -> Plan:
    """Return what the supervisor needs to run a release."""
    slug = platform.state.slugs.get(row.slug_id)
    types = dict(slug.process_types) if slug else {}
    if row.crashes:
        types = {name: command if name == PHASE else CRASH for name, command in types.items()}
    running = {name: entry for name, entry in app.formation.items() if name in types and name != PHASE}
    return Plan(
        app_id=app.id,
        app_name=app.name,
        release_id=row.id,
        release_version=row.version,
        slug=platform.settings.slugs / f"{slug.id}.tgz" if slug else None,
        config=dict(row.config),
        process_types=types,
        quantities={name: int(entry["quantity"]) for name, entry in running.items()},
        sizes={name: str(entry["size"]) for name, entry in running.items()},
        extra_env=_metadata(platform, app, row) if "runtime-dyno-metadata" in app.features else {},
        preboot="preboot" in app.features,
    )


def recover(platform: Platform) -> None:
    """Fail what was pending when the platform died."""
    for row in platform.state.releases.where(status="pending"):
        if row.stream_id is not None:
            platform.streams.write(row.stream_id, " !     The platform was stopped while the release command ran.")
        _finish(platform, row, "failed")


def _record(
    platform: Platform, app: records.App, slug_id: str | None, config: Mapping[str, str], description: str
) -> records.Release:
    now = platform.now()
    row = records.Release(
        id=str(uuid.uuid4()),
        app_id=app.id,
        version=app.next_version,
        created_at=now,
        updated_at=now,
        slug_id=slug_id,
        config=dict(config),
        description=description,
        addon_plan_names=attachments.plan_names(platform, app),
        addon_vars=list(attachments.given(platform, app)),
    )
    with platform.state.changes():
        platform.state.releases.put(row)
        app.next_version += 1
        app.config = dict(config)
        app.updated_at = now
        platform.state.apps.put(app)
    platform.log(app, f"{description} by user {platform.email}")
    platform.log(app, f"Release v{row.version} created by user {platform.email}")
    return row


async def _settle(
    platform: Platform, app: records.App, row: records.Release, keep_code: bool, before: dict[str, str] | None
) -> None:
    try:
        async with platform.release_turn(app):
            if keep_code:
                current = platform.current_release(app)
                row.slug_id = current.slug_id if current else row.slug_id
            if row.stream_id is None or await _run_phase(platform, app, row) == 0:
                await _make_current(platform, app, row)
    finally:
        _end(platform, app, row, before)


def _end(platform: Platform, app: records.App, row: records.Release, before: dict[str, str] | None) -> None:
    try:
        if row.status == "pending":
            _finish(platform, row, "failed")
            if before is not None and app.config == row.config:
                app.config = before
                platform.state.apps.put(app)
            platform.log(app, f"Release v{row.version} failed")
            platform.publish(app, "api:release", "update", row)
    finally:
        if row.stream_id is not None:
            platform.streams.close(row.stream_id)


async def _run_phase(platform: Platform, app: records.App, row: records.Release) -> int:
    stream = row.stream_id or ""
    command = _command(platform, row)
    if command is None:
        return 0
    if platform.faults.for_app("release", app.name):
        platform.streams.write(stream, " !     The release command failed: a fault was ordered.")
        return 1
    try:
        return await platform.supervisor.run_once(
            plan(platform, app, row),
            type=PHASE,
            command=command,
            name=None,
            env={},
            output=lambda line: platform.streams.write(stream, line),
            timeout=platform.settings.release_timeout,
        )
    except OSError as problem:
        platform.streams.write(
            stream, f" !     The release command could not be started: {problem.strerror or problem}"
        )
    return 1


async def _make_current(platform: Platform, app: records.App, row: records.Release) -> None:
    slug = platform.state.slugs.get(row.slug_id)
    row.crashes = slug is not None and platform.faults.for_app("dyno", app.name) is not None
    _take_over(platform, app, row, slug)
    await converge(platform, app)
    platform.publish(app, "api:release", "update", row)


def _take_over(platform: Platform, app: records.App, row: records.Release, slug: records.Slug | None) -> None:
    with platform.state.changes():
        for old in platform.state.releases.where(app_id=app.id, current=True):
            old.current = False
            platform.state.releases.put(old)
        app.formation = _formation(platform, app, slug)
        row.current = True
        _finish(platform, row, "succeeded")
        app.released_at = row.updated_at
        app.slug_size = slug.size if slug else app.slug_size
        if slug is not None and slug.stack != app.stack:  # the slug's wins, also that of a promotion
            chosen = app.build_stack or app.stack
            app.stack, app.build_stack = slug.stack, None if chosen == slug.stack else chosen
        platform.state.apps.put(app)


def _finish(platform: Platform, row: records.Release, status: str) -> None:
    row.status = status
    row.updated_at = platform.now()
    platform.state.releases.put(row)


def _command(platform: Platform, row: records.Release) -> str | None:
    slug = platform.state.slugs.get(row.slug_id)
    return slug.process_types.get(PHASE) if slug else None


def _formation(platform: Platform, app: records.App, slug: records.Slug | None) -> dict[str, dict[str, object]]:
    """The first code of an app starts web=1; later on new types appear at 0 and vanished ones leave."""
    if slug is None:
        return app.formation
    now = platform.now().isoformat()
    formation: dict[str, dict[str, object]] = {}
    first = not any(row.slug_id for row in platform.state.releases.where(app_id=app.id, status="succeeded"))
    for name, command in slug.process_types.items():
        fresh = {
            "id": str(uuid.uuid4()),
            "quantity": 1 if first and name == "web" else 0,
            "size": DEFAULT_SIZE,
            "created_at": now,
            "updated_at": now,
        }
        formation[name] = fresh | app.formation.get(name, {}) | {"command": command}
        if first and formation[name]["quantity"]:
            entry = formation[name]
            platform.log(app, f"Scaled to {name}@{entry['quantity']}:{entry['size']} by user {platform.email}")
    return formation


def _metadata(platform: Platform, app: records.App, row: records.Release) -> dict[str, str]:
    slug = platform.state.slugs.get(row.slug_id)
    commit = (slug.commit if slug else None) or ""
    return {
        "HEROKU_APP_ID": app.id,
        "HEROKU_APP_NAME": app.name,
        "HEROKU_APP_DEFAULT_DOMAIN_NAME": f"{app.name}.localhost",
        "HEROKU_RELEASE_CREATED_AT": row.created_at.isoformat(),
        "HEROKU_RELEASE_VERSION": f"v{row.version}",
        "HEROKU_SLUG_COMMIT": commit,
        "HEROKU_BUILD_COMMIT": commit,
        "HEROKU_SLUG_DESCRIPTION": row.description,
        "HEROKU_BUILD_DESCRIPTION": (slug.commit_description if slug else None) or "",
    }


def _why_not(row: records.Release) -> str:
    if row.slug_id is None:
        return "has no code"
    return {"failed": "failed", "pending": "has not finished", "expired": "has expired"}.get(row.status, row.status)
