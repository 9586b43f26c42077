"""What happens to a push: ``main`` or ``master`` is built and released, and whoever pushes reads along."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.git import repositories
from herodeploy.local.lifecycle import builds, sources

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

BUILDING = "Compressing source files... done.\nBuilding source:\n\n"
SKIPPED = "Pushed to non-main branch, skipping build.\n"


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push; `new` is all zeros where it is deleted."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        """Whether the ref is to go."""
        return not self.new.strip("0")

    @property
    def branch(self) -> str:
        """The branch's name; empty for tags and the like."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""


class Pushes:
    """The pushes that go on: each has a secret, good for one call of its hook."""

    def __init__(self) -> None:
        self._apps: dict[str, str] = {}

    def begin(self, app_id: str) -> str:
        """Return the secret of a new push."""
        secret = secrets.token_hex(24)
        self._apps[secret] = app_id
        return secret

    def take(self, secret: str) -> str | None:
        """Return the app of a push and forget the secret; None for one that is not known."""
        return self._apps.pop(secret, None)


async def carry_out(
    platform: Platform, app: records.App, updates: list[Update], quarantine: str | None
) -> AsyncIterator[bytes]:
    """Yield what whoever pushes reads, then NUL and the hook's exit status.

    Parameters:
        quarantine: where git keeps the pushed objects until the hook accepts them.
    """
    wanted = [update for update in updates if update.branch in repositories.BUILT and not update.deletes]
    if not wanted:
        if not all(update.deletes for update in updates):
            yield SKIPPED.encode()
        yield b"\x000"
        return
    yield BUILDING.encode()
    try:
        build = await _begin(platform, app, wanted[0], quarantine)
    except (repositories.GitFailed, OSError) as problem:
        yield f" !     The commit could not be read: {problem}\n\n".encode() + _rejected(app)
        return
    async for chunk in platform.streams.follow(build.stream_id):
        yield chunk
    await platform.builds.settled(build.id)
    if build.status != "succeeded":
        yield b"\nVerifying deploy...\n\n" + _rejected(app)
        return
    yield b"\nVerifying deploy... done.\n"
    async for chunk in _release(platform, build):
        yield chunk
    yield b"\x000"


async def _begin(platform: Platform, app: records.App, update: Update, quarantine: str | None) -> records.Build:
    repository = platform.repositories.path(app.id)
    env = _objects(repository, quarantine)
    source = await keep_source(platform, repository, update.new, env)
    return await builds.create_build(
        platform,
        app,
        source_url=source,
        version=update.new,
        version_description=await repositories.subject_of(repository, update.new, env),
    )


async def keep_source(platform: Platform, repository: Path, commit: str, env: dict[str, str] | None = None) -> str:
    """Make a commit's files a source, as an upload would; return the address that builds take it from.

    Raises:
        GitFailed: there is no such commit.
        OSError: the disk is full.
    """
    row = records.Source(id=str(uuid.uuid4()), created_at=platform.now(), uploaded=True)
    work = platform.settings.work / "exports" / row.id
    try:
        tarball = await repositories.export(repository, commit, work, env)
        tarball.replace(sources.upload_file(platform, row.id))
    finally:
        await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
    platform.state.sources.put(row)
    return f"{platform.base_url}/blobs/sources/{row.id}"


async def _release(platform: Platform, build: records.Build) -> AsyncIterator[bytes]:
    """Yield the release phase's output; whatever it says, the push is accepted, as on Heroku."""
    release = platform.state.releases.get(build.release_id)
    if release is None or release.stream_id is None:
        return
    yield b"Running release command...\n\n"
    async for chunk in platform.streams.follow(release.stream_id):
        yield chunk
    await platform.releases.settled(release.id)
    yield f"Waiting for release.... {'done' if release.status == 'succeeded' else 'failed'}.\n".encode()


def _objects(repository: Path, quarantine: str | None) -> dict[str, str]:
    """Return what lets git see a push's objects, which lie apart until the hook accepts them."""
    objects = repository / "objects"
    if not quarantine or Path(quarantine).resolve().parent != objects.resolve():
        return {}
    return {"GIT_OBJECT_DIRECTORY": quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}


def _rejected(app: records.App) -> bytes:
    return f"!\tPush rejected to {app.name}.\n\n".encode() + b"\x001"
