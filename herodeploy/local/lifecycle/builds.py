"""Builds: one at a time an app, from a source to a slug to a release."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.local import disk, records
from herodeploy.local.build import builder
from herodeploy.local.lifecycle import releases, sources

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


async def create_build(
    platform: Platform,
    app: records.App,
    *,
    source_url: str,
    version: str | None = None,
    version_description: str | None = None,
    checksum: str | None = None,
    buildpacks: Sequence[str] = (),
) -> records.Build:
    """Begin a build and return its row; wait with ``await platform.builds.settled(build.id)``.

    Parameters:
        version: the commit; it names the release, nothing else.
        checksum: ``SHA256:<hex>`` of the source.
        buildpacks: instead of the app's own, for this build alone.

    Raises:
        ApiError: 422, the address cannot be one of a source.
    """
    sources.check_url(source_url)
    now = platform.now()
    build = records.Build(
        id=str(uuid.uuid4()),
        app_id=app.id,
        created_at=now,
        updated_at=now,
        source_url=source_url,
        version=version,
        version_description=version_description,
        checksum=checksum,
        buildpacks=list(buildpacks) or list(app.buildpacks),
        stack=app.build_stack or app.stack,
        stream_id=platform.streams.create(),
    )
    platform.state.builds.put(build)
    platform.log(app, f"Build started by user {platform.email}")
    platform.publish(app, "api:build", "create", build)
    platform.builds.start(build.id, _run(platform, app, build))
    return build


async def cancel_build(platform: Platform, build: records.Build) -> None:
    """Stop a build that still runs or waits; it has failed then."""
    await platform.builds.cancel(build.id)


async def purge_cache(platform: Platform, app: records.App) -> None:
    """Empty an app's build cache; where a build uses it, after that one and before any that comes later."""
    if platform.build_turn(app).locked():
        platform.jobs.start(f"purge:{app.id}:{uuid.uuid4()}", _purge(platform, app))
    else:
        await _purge(platform, app)


async def _purge(platform: Platform, app: records.App) -> None:
    async with platform.build_turn(app):
        await asyncio.to_thread(shutil.rmtree, platform.settings.caches / app.id, ignore_errors=True)


def recover(platform: Platform) -> None:
    """Fail the builds that the platform's death cut off."""
    for build in platform.state.builds.where(status="pending"):
        platform.streams.write(build.stream_id, " !     The build was cut off: the platform was stopped.")
        _finish(platform, build, "failed")


async def _run(platform: Platform, app: records.App, build: records.Build) -> None:
    """Build when it is this build's turn; whatever happens, the row ends as succeeded or failed."""
    try:
        async with platform.build_turn(app), platform.build_slots:
            await _build_and_release(platform, app, build)
    except (builder.BuildFailed, sources.SourceMissing) as problem:
        _say_once(platform, build, str(problem))
    except (OSError, sqlite3.Error) as problem:
        _say_once(platform, build, _explain(problem))
    except asyncio.CancelledError:
        _say_once(platform, build, "The build was cancelled.")
        raise
    finally:
        _end(platform, app, build)


def _end(platform: Platform, app: records.App, build: records.Build) -> None:
    try:
        if build.status == "pending":
            _finish(platform, build, "failed")
    finally:
        platform.log(app, f"Build {build.status}")
        platform.publish(app, "api:build", "update", build)
        platform.streams.close(build.stream_id)


async def _build_and_release(platform: Platform, app: records.App, build: records.Build) -> None:
    work = platform.settings.work / "builds" / build.id
    try:
        slug = await _build(platform, app, build, work)
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    if slug.stack != app.stack and app.slug_size is not None:
        await _upgrade(platform, app, slug.stack)
    row = await releases.release(
        platform,
        app,
        slug_id=slug.id,
        config=app.config,
        description=f"Deploy {build.version[:8]}" if build.version else "Deploy",
    )
    build.slug_id = slug.id
    build.release_id = row.id
    _announce(platform, app, build, row)
    _finish(platform, build, "succeeded")


async def _upgrade(platform: Platform, app: records.App, stack: str) -> None:
    """Make the release that tells of another stack; the code on it comes with the next one."""
    current = platform.current_release(app)
    await releases.release(
        platform,
        app,
        slug_id=current.slug_id if current else None,
        config=app.config,
        description=f"Upgrade stack to {stack}",
        run_phase=False,
        keep_code=True,
    )


async def _build(platform: Platform, app: records.App, build: records.Build, work: Path) -> records.Slug:
    if platform.faults.for_app("build", app.name):
        raise builder.BuildFailed("Push rejected, failed to compile: a fault was ordered.")
    source = await sources.fetch(platform, build.source_url, work / "fetched", build.checksum)
    key = str(uuid.uuid4())
    request = builder.BuildRequest(
        source=source,
        work=work,
        cache=platform.settings.caches / app.id,
        slug=platform.settings.slugs / f"{key}.tgz",
        config=dict(app.config),
        buildpacks=tuple(build.buildpacks),
        stack=build.stack,
        app_name=app.name,
        timeout=platform.settings.build_timeout,
        slug_limit=platform.settings.slug_limit,
        sandbox=platform.isolation.sandbox,
    )
    result = await builder.build(request, lambda line: platform.streams.write(build.stream_id, line))
    now = platform.now()
    build.buildpacks = list(result.buildpacks)
    return platform.state.slugs.put(
        records.Slug(
            id=key,
            app_id=app.id,
            created_at=now,
            updated_at=now,
            commit=build.version,
            commit_description=build.version_description,
            checksum=result.checksum,
            size=result.size,
            process_types=dict(result.process_types),
            buildpack=result.description,
            buildpacks=list(result.buildpacks),
            stack=build.stack,
        )
    )


def _announce(platform: Platform, app: records.App, build: records.Build, row: records.Release) -> None:
    lines = ["-----> Launching..."]
    if row.stream_id is not None:
        lines.append("       Release command declared: this release serves only once the command has succeeded.")
    lines.append(f"       Released v{row.version}")
    lines.append(f"       {platform.web_url(app)} deployed")
    for line in lines:
        platform.streams.write(build.stream_id, line)


def _say_once(platform: Platform, build: records.Build, message: str) -> None:
    """Write why a build failed, unless the builder's last lines said it."""
    if message.rstrip(".").lower() not in platform.streams.text(build.stream_id)[-2000:].lower():
        platform.streams.write(build.stream_id, f" !     {message}")


def _explain(problem: OSError | sqlite3.Error) -> str:
    if disk.is_full(problem):
        return "The disk is full: the build needs more room than the local platform's data folder has."
    return f"The build could not go on: {problem}"


def _finish(platform: Platform, build: records.Build, status: str) -> None:
    build.status = status
    build.updated_at = platform.now()
    platform.state.builds.put(build)
