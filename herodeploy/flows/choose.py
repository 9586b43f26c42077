"""What a person who promotes by hand means: which release, into which apps."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from herodeploy.domain.command import again
from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.release import Release
from herodeploy.domain.target import Target
from herodeploy.errors import NotFound, UsageError
from herodeploy.flows.services import Services

LOOK_BACK = 100
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for.

    Parameters:
        to: the stage; the last one unless given.
        only: these of its apps; all unless given.
        retry_failed: the artifact of the last move into the stage again, into the apps that did not get it.
        release: a release of the app before, such as ``v12``; the current one unless given.
    """

    to: str | None = None
    only: tuple[str, ...] = ()
    retry_failed: bool = False
    release: str | None = None

    def command(self, **more: object) -> str:
        """Return the command that asks for the same; `more` are further options of it, as of `again`."""
        options = {"only": self.only, "retry_failed": self.retry_failed, "release": self.release}
        return again("promote", self.to, **options, **more)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One release of one app, and the apps of a stage that are to get it."""

    stage: StageSpec
    apps: tuple[str, ...]
    source: App
    release: Release

    @property
    def slug_id(self) -> str:
        """The artifact."""
        return self.release.slug_id or ""


def choose(services: Services, wish: Wish) -> Chosen:
    """Return the release and the apps that are meant.

    Raises:
        UsageError: there are no such ones.
    """
    stage = services.stage(wish.to) if wish.to else services.spec.stages[-1]
    before = services.spec.before(stage.name)
    if before is None:
        raise UsageError(f"{stage.name} builds and receives no promotion", hint="herodeploy deliver")
    failed = _failed(services, stage) if wish.retry_failed else []
    apps = _apps(stage, wish.only, [target.app for target in failed])
    source = services.heroku.apps.get(before.apps[0])
    if failed:
        release = _of_slug(services, source.name, failed[0].slug_id)
    elif wish.release is not None:
        release = _named(services, source.name, wish.release)
    else:
        release = _current(services, source.name)
    if not services.store.is_verified(services.pipeline().id, before.name, release.slug_id or "", before.apps):
        services.tell("warning", f"v{release.version} of {source.name} has not passed verification in {before.name}")
    return Chosen(stage, apps, source, release)


def _failed(services: Services, stage: StageSpec) -> list[Target]:
    """Return the targets of the last move that are still in the stage and did not get the artifact."""
    last = services.store.targets.of_last_move(services.pipeline().id, stage.name)
    failed = [target for target in last if not target.good and target.app in stage.apps]
    if not last:
        raise UsageError(f"nothing has been promoted into {stage.name} yet", hint="herodeploy promote")
    if not failed:
        raise UsageError(
            f"the last promotion into {stage.name} failed nowhere", hint=f"see: herodeploy targets {stage.name}"
        )
    return failed


def _apps(stage: StageSpec, only: Sequence[str], failed: Sequence[str]) -> tuple[str, ...]:
    for name in only:
        if name not in stage.apps:
            near = difflib.get_close_matches(name, stage.apps, n=1)
            hint = f"did you mean {near[0]}?" if near else f"one of: {', '.join(stage.apps)}"
            raise UsageError(f"{stage.name} has no app '{name}'", hint=hint)
    meant = tuple(app for app in stage.apps if app in (only or stage.apps) and app in (failed or stage.apps))
    if not meant:
        raise UsageError(
            f"the last promotion into {stage.name} did not fail in {', '.join(only)}",
            hint=f"it failed in: {', '.join(failed)}",
        )
    return meant


def _current(services: Services, app: str) -> Release:
    release = services.heroku.releases.current(app)
    if release is None or release.slug_id is None:
        raise UsageError(f"{app} has no release to promote", hint="herodeploy deliver")
    return release


def _named(services: Services, app: str, version: str) -> Release:
    number = version.removeprefix("v")
    if not number.isdigit():
        raise UsageError(f"'{version}' is no release", hint="give its version, such as v12")
    try:
        release = services.heroku.releases.get(app, number)
    except NotFound:
        release = None
    if release is not None and release.status == "succeeded" and release.slug_id is not None:
        return release
    others = [each for each in services.heroku.releases.list(app) if each.status == "succeeded" and each.slug_id]
    why = "has no" if release is None else f"cannot promote its {release.status}"
    versions = ", ".join(f"v{each.version}" for each in others[:SHOWN])
    hint = f"one of: {versions}" if versions else "herodeploy deliver"
    raise UsageError(f"{app} {why} release v{number}", hint=hint)


def _of_slug(services: Services, app: str, slug_id: str | None) -> Release:
    for release in services.heroku.releases.list(app, limit=LOOK_BACK):
        if release.slug_id == slug_id and release.status == "succeeded":
            return release
    raise UsageError(
        f"{app} has no good release any more of what failed last time", hint="promote what it has: herodeploy promote"
    )
