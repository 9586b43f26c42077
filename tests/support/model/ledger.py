"""A platform in memory: what flows ask of one, answered at once, and an account of what each app runs.

It keeps Heroku's rules that deliveries depend on: releases are numbered, a failed release phase leaves the release
before current, and a promotion says nothing about dynos, which crash later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

from herodeploy.domain.change import TestNode, TestRun
from herodeploy.domain.pipeline import App, Coupling, Pipeline, PipelineSpec
from herodeploy.domain.release import Build, Dyno, Formation, Promotion, PromotionTarget, Release, Slug
from herodeploy.errors import NotFound
from herodeploy.flows.check import Subject

from .mortal import Life

PIPELINE = Pipeline("pipeline-1", "shop")


@dataclass(frozen=True)
class Fate:
    """What becomes of a commit on the platform, wherever it comes.

    Parameters:
        ci: how its test run ends.
        release: the apps in which its release phase fails.
        crash: the apps in which its dynos crash.
    """

    ci: str = "succeeded"
    builds: bool = True
    release: frozenset[str] = frozenset()
    crash: frozenset[str] = frozenset()

    def __str__(self) -> str:
        bad = [f"CI {self.ci}"] if self.ci != "succeeded" else []
        bad += [] if self.builds else ["no build"]
        bad += [f"release phase fails in {app}" for app in sorted(self.release)]
        bad += [f"crashes in {app}" for app in sorted(self.crash)]
        return ", ".join(bad) or "good"

    def good_in(self, apps: Iterable[str]) -> bool:
        """Whether nothing of it can fail in a leg into these apps."""
        return self.builds and not (self.release | self.crash).intersection(apps)


class Ledger:
    """The platform's state; it outlives every process.

    Parameters:
        spec: whose apps there are.
        clock: tells the time.
        on_release: is told of each release before it is there: the app, the slug, and how it comes (build, promotion,
            rollback).
    """

    def __init__(
        self, spec: PipelineSpec, clock: Callable[[], datetime], on_release: Callable[[str, str, str], None]
    ) -> None:
        self.clock, self.on_release = clock, on_release
        self.stages = {app: stage.name for stage in spec.stages for app in stage.apps}
        self.kinds = {app: stage.kind for stage in spec.stages for app in stage.apps}
        self.fates: dict[str, Fate] = {}
        self.slugs: list[str] = []
        self.commits: dict[str, str] = {}
        self.builds: list[Build] = []
        self.test_runs: list[TestRun] = []
        self.promotions: dict[str, list[PromotionTarget]] = {}
        self._releases: dict[str, list[Release]] = {app: [] for app in self.stages}

    def releases(self, app: str) -> list[Release]:
        """Return an app's, newest first."""
        return [replace(each, current=each is self._current(app)) for each in reversed(self._releases[app])]

    def runs(self, app: str) -> str | None:
        """Return the slug that an app runs."""
        current = self._current(app)
        return current.slug_id if current else None

    def age(self, slug_id: str | None) -> int:
        """Return the slug's place in the order of builds, -1 for none."""
        return self.slugs.index(slug_id) if slug_id in self.slugs else -1

    def tested(self, commit: str) -> bool:
        """Whether a test run of that commit succeeded."""
        return any(each.commit == commit and each.status == "succeeded" for each in self.test_runs)

    def client(self, life: Life) -> Any:
        """Return what a process of that life sees."""
        return _Client(self, life)

    def release(self, app: str, slug_id: str, how: str) -> Release:
        """Make a release."""
        self.on_release(app, slug_id, how)
        bad = app in self.fate(slug_id).release and how != "rollback"
        made = Release(
            id=f"release-{app}-{len(self._releases[app]) + 1}",
            app_id=f"id-{app}",
            app_name=app,
            version=len(self._releases[app]) + 1,
            status="failed" if bad else "succeeded",
            current=False,
            slug_id=slug_id,
            description=how,
            eligible_for_rollback=not bad,
            output_stream_url=None,
            user="ann@example.com",
            created_at=self.clock(),
        )
        self._releases[app].append(made)
        return made

    def fate(self, slug_id: str) -> Fate:
        """Return what is meant for the commit of a slug."""
        return self.fates[self.commits[slug_id]]

    def crashes(self, app: str) -> bool:
        """Whether the dynos of what it runs crash."""
        slug_id = self.runs(app)
        return slug_id is not None and app in self.fate(slug_id).crash

    def _current(self, app: str) -> Release | None:
        return next((each for each in reversed(self._releases[app]) if each.status == "succeeded"), None)


def _asks(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return _call(name, "platform")


def _acts(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return _call(name, "platform", "changes")


def _call(name: str, *kinds: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, *arguments: Any, **options: Any) -> Any:
            with self.life.act(name, *kinds):
                return method(self, *arguments, **options)

        return call

    return decorate


@dataclass
class _Family:
    ledger: Ledger
    life: Life


class _Apps(_Family):
    @_asks("GET app")
    def get(self, app: str) -> App:
        name = app.removeprefix("id-")
        return App(f"id-{name}", name, f"http://{name}.test", "heroku-24", False, self.ledger.clock())

    @_asks("GET apps")
    def filter(self, ids: Iterable[str]) -> list[App]:
        return [App(id_, id_.removeprefix("id-"), None, "heroku-24", False, self.ledger.clock()) for id_ in ids]


class _Couplings(_Family):
    @_asks("GET couplings")
    def list(self, pipeline: str) -> list[Coupling]:
        return [Coupling(f"c-{app}", f"id-{app}", pipeline, kind) for app, kind in self.ledger.kinds.items()]


class _Pipelines(_Family):
    @_asks("GET pipelines")
    def find(self, name: str) -> list[Pipeline]:
        return [PIPELINE]


class _Releases(_Family):
    @_asks("GET releases")
    def list(self, app: str, limit: int | None = 50) -> list[Release]:
        return self.ledger.releases(app)[:limit]

    @_asks("GET release")
    def get(self, app: str, release: str | int) -> Release:
        return self._find(app, str(release))

    @_asks("GET current release")
    def current(self, app: str) -> Release | None:
        return next((each for each in self.ledger.releases(app) if each.current), None)

    @_acts("POST rollback")
    def rollback(self, app: str, release: str | int) -> Release:
        return self.ledger.release(app, self._find(app, str(release)).slug_id or "", "rollback")

    def _find(self, app: str, release: str) -> Release:
        for each in self.ledger.releases(app):
            if release in (each.id, str(each.version)):
                return each
        raise NotFound("no such release", status=404)


class _Builds(_Family):
    @_asks("GET builds")
    def list(self, app: str, limit: int | None = 20) -> list[Build]:
        return [each for each in reversed(self.ledger.builds) if each.app_id == f"id-{app}"][:limit]

    @_asks("GET build")
    def get(self, app: str, build: str) -> Build:
        return next(each for each in self.ledger.builds if each.id == build)

    @_acts("POST build")
    def create(self, app: str, source_url: str, version: str, description: str | None = None) -> Build:
        ledger, number = self.ledger, len(self.ledger.builds) + 1
        slug_id = release_id = None
        if ledger.fates[version].builds:
            slug_id = f"slug-{number}"
            ledger.slugs.append(slug_id)
            ledger.commits[slug_id] = version
            release_id = ledger.release(app, slug_id, "build").id
        status: Any = "succeeded" if slug_id else "failed"
        made = Build(f"build-{number}", f"id-{app}", status, None, version, slug_id, release_id, ledger.clock())
        ledger.builds.append(made)
        return made


class _Slugs(_Family):
    @_asks("GET slug")
    def get(self, app: str, slug: str) -> Slug:
        return Slug(slug, self.ledger.commits.get(slug), {"web": "serve"}, "heroku-24")


class _Sources(_Family):
    @_acts("POST source")
    def upload(self, tarball: Path) -> str:
        assert tarball.stat().st_size > 0
        return "http://source.test"


class _Dynos(_Family):
    @_asks("GET dynos")
    def list(self, app: str) -> list[Dyno]:
        current = next((each for each in self.ledger.releases(app) if each.current), None)
        if current is None:
            return []
        return [Dyno("d", "web.1", "web", "crashed" if self.ledger.crashes(app) else "up", current.version, "serve")]


class _Formation(_Family):
    @_asks("GET formation")
    def list(self, app: str) -> list[Formation]:
        return [Formation("web", 1, "basic", "serve")]


class _Logs(_Family):
    @_asks("POST log-sessions")
    def lines(self, app: str, lines: int = 100) -> list[str]:
        return []


class _Promotions(_Family):
    @_acts("POST promotion")
    def create(self, pipeline: str, source_app: str, source_release: str, targets: list[str]) -> Promotion:
        releases = self.ledger.releases(source_app.removeprefix("id-"))
        slug_id = next(each.slug_id for each in releases if each.id == source_release) or ""
        made = []
        for app_id in targets:
            release = self.ledger.release(app_id.removeprefix("id-"), slug_id, "promotion")
            status: Any = "succeeded" if release.status == "succeeded" else "failed"
            said = None if status == "succeeded" else "release command failed"
            made.append(PromotionTarget(f"t-{release.id}", app_id, release.id, status, said))
        id_ = f"promotion-{len(self.ledger.promotions) + 1}"
        self.ledger.promotions[id_] = made
        return Promotion(id_, pipeline, source_app, source_release, "completed")

    @_asks("GET targets")
    def targets(self, promotion: str) -> list[PromotionTarget]:
        return self.ledger.promotions[promotion]


class _TestRuns(_Family):
    @_asks("GET test runs")
    def list(self, pipeline: str) -> list[TestRun]:
        return list(reversed(self.ledger.test_runs))

    @_asks("GET test run")
    def get(self, pipeline: str, number: int) -> TestRun:
        return self.ledger.test_runs[number - 1]

    @_asks("GET test nodes")
    def nodes(self, run_id: str) -> list[TestNode]:
        return []

    @_acts("POST test run")
    def create(self, pipeline: str, commit: str, branch: str, message: str, source_url: str) -> TestRun:
        number, status = len(self.ledger.test_runs) + 1, self.ledger.fates[commit].ci
        now: Any = self.ledger.clock()
        made = TestRun(f"run-{number}", number, pipeline, status, commit, branch, None, now)  # type: ignore[arg-type]
        self.ledger.test_runs.append(made)
        return made


class _Client(_Family):
    base_url = "http://platform.test"

    def __init__(self, ledger: Ledger, life: Life) -> None:
        super().__init__(ledger, life)
        self.apps, self.couplings, self.pipelines = (
            _Apps(ledger, life), _Couplings(ledger, life), _Pipelines(ledger, life),
        )  # fmt: skip
        self.releases, self.builds, self.slugs = _Releases(ledger, life), _Builds(ledger, life), _Slugs(ledger, life)
        self.sources, self.dynos, self.formation = (
            _Sources(ledger, life), _Dynos(ledger, life), _Formation(ledger, life),
        )  # fmt: skip
        self.logs, self.promotions, self.test_runs = (
            _Logs(ledger, life), _Promotions(ledger, life), _TestRuns(ledger, life),
        )  # fmt: skip

    def close(self) -> None:
        pass

    def load(self) -> None:
        pass

    def web_url_now(self, web_url: str | None) -> str | None:
        return web_url

    @_asks("GET /")
    def probe(self, app: App | Subject, path: str, timeout: float) -> int | None:
        return 500 if self.ledger.crashes(app.name if isinstance(app, App) else app.app) else 200
