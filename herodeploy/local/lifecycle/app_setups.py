"""App setups: from a source with an app.json to a running app. One that fails leaves no app, only its record."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from herodeploy.local import records
from herodeploy.local.build.failure import VERDICTS, BuildFailed
from herodeploy.local.build.source import read_member
from herodeploy.local.lifecycle import addon_orders, apps, builds, releases, sources
from herodeploy.local.lifecycle.manifest import FILE, Manifest, ManifestInvalid, Scale, parse

if TYPE_CHECKING:
    from pathlib import Path

    from herodeploy.local.platform import Platform


class SetupFailed(Exception):
    """A setup that cannot go on; the message is one sentence for people.

    Parameters:
        errors: what is wrong in app.json, one sentence each.
    """

    def __init__(self, message: str, errors: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.errors = list(errors)


@dataclass(frozen=True, slots=True)
class Order:
    """What an app is set up from.

    Parameters:
        version: the commit.
        environment: of app.json whose keys count: ``review``, or None.
        given: config vars that win over app.json's.
        buildpacks: instead of app.json's.
        needs_manifest: whether a source without app.json is refused.
    """

    source_url: str
    version: str | None = None
    checksum: str | None = None
    environment: str | None = None
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    buildpacks: Sequence[str] = ()
    needs_manifest: bool = True


async def create_app_setup(
    platform: Platform, order: Order, *, name: str | None = None, stack: str | None = None, region: str | None = None
) -> records.AppSetup:
    """Create the app and begin its setup; wait with ``await platform.jobs.settled(setup.id)``.

    Raises:
        ApiError: 422, the source's address or the app's name cannot be one, or the name is taken.
    """
    sources.check_url(order.source_url)
    app = await apps.create_app(platform, name=name, stack=stack, region=region)
    setup = record(platform, app)
    platform.jobs.start(setup.id, _run_alone(platform, setup, app, order))
    return setup


def record(platform: Platform, app: records.App) -> records.AppSetup:
    """Write down a new setup of an app."""
    now = platform.now()
    return platform.state.app_setups.put(
        records.AppSetup(id=str(uuid.uuid4()), app_id=app.id, app_name=app.name, created_at=now, updated_at=now)
    )


async def run(platform: Platform, setup: records.AppSetup, app: records.App, order: Order) -> Manifest | None:
    """Set an app up; return its app.json, or None when the setup failed: then `discard` the app."""
    try:
        manifest = await _set_up(platform, setup, app, order)
    except SetupFailed as problem:
        fail(platform, setup, str(problem), problem.errors)
        return None
    _finish(platform, setup, "succeeded")
    return manifest


def fail(platform: Platform, setup: records.AppSetup, message: str, errors: Sequence[str] = ()) -> None:
    """Mark a setup as failed."""
    setup.failure_message = message
    setup.manifest_errors = list(errors)
    _finish(platform, setup, "failed")


async def discard(platform: Platform, setup: records.AppSetup) -> None:
    """Destroy a failed setup's app, but keep the output of its build."""
    app = platform.state.apps.get(setup.app_id)
    if app is None:
        return
    build = platform.state.builds.get(setup.build_id)
    if build is not None:
        build.stream_id = ""
        platform.state.builds.put(build)
    await apps.destroy_app(platform, app, wait=True)


def recover(platform: Platform) -> None:
    """Fail what the platform's death cut off."""
    for setup in platform.state.app_setups.where(status="pending"):
        build = platform.state.builds.get(setup.build_id)
        setup.build_status = build.status if build else setup.build_status
        fail(platform, setup, "The platform was stopped while the app was set up.")


async def resume(platform: Platform) -> None:
    """Destroy the apps of failed setups that are still there."""
    for setup in platform.state.app_setups.where(status="failed"):
        await discard(platform, setup)


async def read_manifest(
    platform: Platform, url: str, work: Path, environment: str | None, checksum: str | None = None, needed: bool = False
) -> tuple[Path, Manifest]:
    """Fetch a source and read its app.json for a purpose.

    Parameters:
        work: a folder for a source that has to be fetched.

    Raises:
        SetupFailed: no such source, or an app.json that cannot be followed.
    """
    try:
        tarball = await sources.fetch(platform, url, work, checksum)
        text = await asyncio.to_thread(read_member, tarball, FILE)
        if text is None and needed:
            raise SetupFailed(f"{FILE} not found")
        return tarball, parse(text, environment)
    except (sources.SourceMissing, BuildFailed) as problem:
        raise SetupFailed(str(problem)) from None
    except ManifestInvalid as problem:
        raise SetupFailed(f"invalid {FILE}", problem.errors) from None
    except OSError as problem:
        raise SetupFailed(f"The source could not be read: {problem.strerror or problem}") from None


def resolve(manifest: Manifest, given: Mapping[str, str]) -> dict[str, str]:
    """Return the config vars of a new app.

    Raises:
        SetupFailed: a required one has no value.
    """
    try:
        return manifest.config(given)
    except ManifestInvalid as problem:
        raise SetupFailed(f"invalid {FILE}", problem.errors) from None


async def _run_alone(platform: Platform, setup: records.AppSetup, app: records.App, order: Order) -> None:
    if await run(platform, setup, app, order) is None:
        await discard(platform, setup)


async def _set_up(platform: Platform, setup: records.AppSetup, app: records.App, order: Order) -> Manifest:
    """Follow app.json: config vars, formation, add-ons, build, release, postdeploy."""
    manifest = await _manifest(platform, setup, order)
    config = resolve(manifest, order.given)
    _still_there(platform, app)
    await _configure(platform, app, manifest, config, order)
    setup.warning = await addon_orders.carry_out(platform, app, manifest)
    platform.state.app_setups.put(setup)
    _still_there(platform, app)
    await _build(platform, setup, app, order)
    await _postdeploy(platform, setup, app, manifest)
    setup.resolved_success_url = _success_url(platform, app, manifest)
    return manifest


async def _manifest(platform: Platform, setup: records.AppSetup, order: Order) -> Manifest:
    work = platform.settings.work / "setups" / setup.id
    try:
        _, manifest = await read_manifest(
            platform, order.source_url, work, order.environment, order.checksum, order.needs_manifest
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    if manifest.stack is not None and manifest.stack not in apps.STACKS:
        raise SetupFailed(f"invalid {FILE}", [f"there is no stack {manifest.stack}"])
    return manifest


async def _configure(
    platform: Platform, app: records.App, manifest: Manifest, config: dict[str, str], order: Order
) -> None:
    app.stack = manifest.stack or app.stack
    app.buildpacks = list(order.buildpacks or manifest.buildpacks)
    app.formation = {
        name: _entry(platform, scale) for name, scale in manifest.formation.items() if name != releases.PHASE
    }
    platform.state.apps.put(app)
    if config:
        names = ", ".join(config)
        await releases.release(platform, app, slug_id=None, config=config, description=f"Set {names} config vars")


async def _build(platform: Platform, setup: records.AppSetup, app: records.App, order: Order) -> None:
    """Build and release; the setup goes on only with a release that succeeded."""
    build = await builds.create_build(
        platform, app, source_url=order.source_url, version=order.version, checksum=order.checksum
    )
    if setup.warning:
        platform.streams.write(build.stream_id, f" !     {setup.warning}")
    setup.build_id, setup.build_status, setup.build_stream_id = build.id, build.status, build.stream_id
    platform.state.app_setups.put(setup)
    await platform.builds.settled(build.id)
    setup.build_status = build.status
    platform.state.app_setups.put(setup)
    if build.status != "succeeded" or build.release_id is None:
        raise SetupFailed(f"The build failed: {_reason(platform, build.stream_id)}")
    _still_there(platform, app)
    await platform.releases.settled(build.release_id)
    _still_there(platform, app)
    row = platform.state.releases.get(build.release_id)
    if row is None or row.status != "succeeded":
        stream = (row.stream_id if row else None) or ""
        platform.streams.write(build.stream_id, f"-----> Release command\n{platform.streams.text(stream)}")
        raise SetupFailed(f"The release command failed: {_reason(platform, stream)}")


async def _postdeploy(platform: Platform, setup: records.AppSetup, app: records.App, manifest: Manifest) -> None:
    command = manifest.scripts.get("postdeploy")
    if command is None:
        return
    lines: list[str] = []
    status = await run_script(platform, app, command, lines.append)
    setup.postdeploy = {"output": "".join(f"{line}\n" for line in lines), "exit_code": status}
    if status != 0:
        raise SetupFailed(f"The postdeploy script ended with exit status {status}.")


async def run_script(
    platform: Platform, app: records.App, command: str, output: Callable[[str], None] | None = None
) -> int:
    """Run one of app.json's scripts in a one-off dyno of the current release; return its exit status."""
    _still_there(platform, app)
    current = platform.current_release(app)
    if current is None:
        return 1
    try:
        return await platform.supervisor.run_once(
            releases.plan(platform, app, current),
            type="run",
            command=command,
            output=output,
            timeout=platform.settings.release_timeout,
        )
    except OSError as problem:
        platform.log(app, f"The script could not be started: {problem.strerror or problem}")
        return 1


def _entry(platform: Platform, scale: Scale) -> dict[str, object]:
    now = platform.now().isoformat()
    return {
        "id": str(uuid.uuid4()),
        "command": "",
        "quantity": 1 if scale.quantity is None else scale.quantity,
        "size": scale.size or releases.DEFAULT_SIZE,
        "created_at": now,
        "updated_at": now,
    }


def _still_there(platform: Platform, app: records.App) -> None:
    if platform.state.apps.get(app.id) is None:
        raise SetupFailed("The app was destroyed while it was set up.")


def _reason(platform: Platform, stream: str) -> str:
    """Return the last thing that an output says, without the builder's closing words."""
    lines = [line.strip(" !\t") for line in platform.streams.text(stream).splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(VERDICTS)), "it said nothing.")


def _success_url(platform: Platform, app: records.App, manifest: Manifest) -> str | None:
    return urljoin(platform.web_url(app), manifest.success_url) if manifest.success_url else None


def _finish(platform: Platform, setup: records.AppSetup, status: str) -> None:
    setup.status = status
    setup.updated_at = platform.now()
    platform.state.app_setups.put(setup)
