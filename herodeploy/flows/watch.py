"""Watching builds and releases to their end, their output streamed as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from herodeploy.domain.release import Build, Release
from herodeploy.errors import NotFound, PlatformError
from herodeploy.flows.kept import Kept
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import until, wait_for

RELEASE_ROW_WITHIN = timedelta(seconds=30)


@contextmanager
def packed(services: Services, commit: str) -> Iterator[Path]:
    """Pack exactly that commit as a source tarball, for as long as the block lasts."""
    with TemporaryDirectory(prefix="herodeploy-") as folder:
        yield services.repo.archive(commit, Path(folder))


def upload(services: Services, commit: str) -> str:
    """Bring exactly that commit up and return where the platform finds it."""
    with packed(services, commit) as tarball:
        return services.heroku.sources.upload(tarball)


def follow(
    services: Services,
    url: str | None,
    *,
    leg: str | None,
    app: str | None = None,
    beside: bool = False,
    keep: Kept | None = None,
) -> None:
    """Report an output stream's lines until it ends; one that never appears is no reason to give up.

    Parameters:
        beside: others are followed at the same time.
        keep: takes the lines as well.
    """
    if url is None:
        return
    tell = services.sink(leg=leg, app=app, beside=beside)

    def take(line: str) -> None:
        tell(line)
        if keep is not None:
            keep.take(line)

    try:
        services.heroku.follow(url, take)
    except NotFound:
        services.tell("warning", "the platform shows no output of this", leg=leg, app=app)


def watch_build(services: Services, app: str, build_id: str, leg: str | None) -> Build:
    """Stream a build's output and return it settled."""
    build = until(services, lambda: _speaking(services.heroku.builds.get(app, build_id)))
    follow(services, build.output_stream_url, leg=leg, app=app)
    return until(services, lambda: _settled_build(services.heroku.builds.get(app, build_id)))


def release_of_build(services: Services, app: str, build: Build) -> str:
    """Return the id of the release that a succeeded build made; it may appear a moment after the build.

    Raises:
        PlatformError: none appeared, which says nothing about the change.
    """
    if build.release_id is not None:
        return build.release_id
    found = wait_for(services, lambda: services.heroku.builds.get(app, build.id).release_id, within=RELEASE_ROW_WITHIN)
    if found is None:
        raise PlatformError(f"the build in {app} succeeded, but its release has not appeared", hint="try again later")
    return found


def watch_release(
    services: Services,
    app: str,
    release_id: str,
    leg: str | None,
    *,
    beside: bool = False,
    keep: Kept | None = None,
) -> Release:
    """Stream a release phase's output, where there is one, and return the release settled.

    Parameters:
        beside, keep: as of `follow`.
    """
    release = services.heroku.releases.get(app, release_id)
    if release.output_stream_url is not None:
        services.tell("step", f"v{release.version}: release phase", leg=leg, app=app)
        follow(services, release.output_stream_url, leg=leg, app=app, beside=beside, keep=keep)
    settled = _settled_release(release)
    return settled or until(services, lambda: _settled_release(services.heroku.releases.get(app, release_id)))


def _speaking(build: Build) -> Build | None:
    return build if build.output_stream_url is not None or build.status != "pending" else None


def _settled_build(build: Build) -> Build | None:
    return build if build.status != "pending" else None


def _settled_release(release: Release) -> Release | None:
    return release if release.status != "pending" else None
