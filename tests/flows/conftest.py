"""A real local platform for each module of tests, and pipelines of their own for the tests."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import github as github_server
from support import platforms

from herodeploy.app import exclusive, worker
from herodeploy.domain.change import Change
from herodeploy.domain.delivery import Delivery
from herodeploy.domain.pipeline import CiSpec, PipelineSpec, ReviewSpec, Stage, StageSpec, VerifySpec
from herodeploy.domain.progress import Note
from herodeploy.domain.secret import Secret
from herodeploy.engine.direct import DirectEngine
from herodeploy.engine.port import Engine
from herodeploy.flows import apply, attend, deliver
from herodeploy.flows.services import Services
from herodeploy.forge.git import Repository
from herodeploy.heroku.client import Heroku
from herodeploy.local import LocalPlatform
from herodeploy.store.store import Store

TOKEN = platforms.TOKEN
SERVE = 'exec python3 -m http.server "$PORT" --bind 127.0.0.1'
FILES = {
    "Procfile": f"web: {SERVE}\n",
    "index.html": "one\n",
    "app.json": '{"environments": {"test": {"scripts": {"test": "grep -v rude index.html"}}}}\n',
}


@dataclass
class Local:
    """A platform in a thread, which can be stopped and started again on the same port and data."""

    data: Path
    port: int = 0
    _running: LocalPlatform | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._running = platforms.start(self.data, port=self.port, stop_timeout=3.0, boot_timeout=15.0)
        self.port = self._running.platform.settings.port

    def stop(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """One for all tests of a module: each leaves dynos that run, with their sockets and pipes in this process."""
    platform = Local(tmp_path_factory.mktemp("platform"))
    platform.start()
    yield platform
    platform.stop()


@pytest.fixture
def own_local(tmp_path: Path) -> Iterator[Local]:
    """A platform of the test's own, to stop and start."""
    platform = Local(tmp_path / "platform")
    platform.start()
    yield platform
    platform.stop()


@dataclass
class Shop:
    """A repository, its pipeline, and what the flows told."""

    services: Services
    root: Path
    state: Path
    notes: list[Note] = field(default_factory=list)
    first_version: int = 0
    durable: bool = False
    seen_by: list[Services] = field(default_factory=list)
    """Of all processes that have looked at it since."""

    def apply(self) -> None:
        apply.apply(self.services, apply.plan(self.services))
        self.first_version = len(self.versions(self.services.spec.stages[0].apps[0]))

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str = "Change", **files: str) -> Change:
        for name, text in files.items():
            (self.root / name.replace("_dot_", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.services.repo.head()

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The durable engine takes a second to start and stop: only where a test is about it."""
        if self.durable:
            with worker(self.services) as engine:
                yield engine
        else:
            with exclusive(self.services):
                yield DirectEngine(deliver.legs(self.services))

    def deliver(self, change: Change | None = None, *, retry: bool = False) -> Delivery:
        with self.engine() as engine:
            delivery = deliver.start_delivery(self.services, change or self.services.repo.head(), retry=retry)
            advanced = deliver.advance(self.services, engine, delivery)
        return attend.stay(self.services, self.engine, advanced)

    def advance(self, delivery: Delivery) -> Delivery:
        with self.engine() as engine:
            advanced = deliver.advance(self.services, engine, delivery)
        return attend.stay(self.services, self.engine, advanced)

    def resume(self) -> list[Delivery]:
        with self.engine() as engine:
            looked_at = deliver.resume(self.services, engine)
        return attend.stay_with_all(self.services, self.engine, looked_at)

    def app(self, stage: str, at: int = 0) -> str:
        return self.services.stage(stage).apps[at]

    def slug(self, app: str) -> str | None:
        current = self.services.heroku.releases.current(app)
        return current.slug_id if current else None

    def versions(self, app: str) -> list[tuple[int, str]]:
        return [(each.version, each.status) for each in reversed(self.services.heroku.releases.list(app))]

    def kinds(self, delivery: Delivery | None = None) -> list[str]:
        of = delivery.id if delivery else None
        return [each.kind for each in reversed(self.services.store.events(self.services.pipeline().id, of))]

    def told(self, kind: str) -> list[str]:
        return [note.text for note in self.notes if note.kind == kind]

    def like(self, **changes: Any) -> Shop:
        """The same shop seen by another process: nothing of the first one's memory."""
        self.services.close()
        services = dataclasses.replace(self.services, nonce=uuid.uuid4().hex, **changes)
        self.seen_by.append(services)
        return Shop(services, self.root, self.state, self.notes, self.first_version, self.durable, self.seen_by)


Make = Callable[..., Shop]


@contextmanager
def shops(local: Local, tmp_path: Path) -> Iterator[Make]:
    made: list[Shop] = []

    def make(files: Mapping[str, str] | None = None, *, applied: bool = True, **changes: Any) -> Shop:
        folder = tmp_path / f"shop{len(made)}"
        root = folder / "repository"
        root.mkdir(parents=True)
        for name, text in {**FILES, **(files or {})}.items():
            (root / name).write_text(text)
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=root, check=True)
        notes: list[Note] = []
        services = Services(
            spec=dataclasses.replace(spec(f"s{uuid.uuid4().hex[:8]}"), **changes),
            repo=Repository.open(root),
            connect=lambda: Heroku.connect(local.url, Secret(TOKEN)),
            open_store=lambda: Store.open(state_dir=folder / "state"),
            report=notes.append,
            actor="ann@example.com",
            poll=0.05,
        )
        shop = Shop(services, root, folder / "state", notes)
        shop.commit("Begin")
        made.append(shop)
        if applied:
            shop.apply()
        return shop

    yield make
    for services in (each for shop in made for each in (shop.services, *shop.seen_by)):
        services.close()


@pytest.fixture
def make(local: Local, tmp_path: Path) -> Iterator[Make]:
    """Make shops on the shared platform."""
    with shops(local, tmp_path) as maker:
        yield maker


@pytest.fixture
def own_shop(own_local: Local, tmp_path: Path) -> Iterator[Callable[..., tuple[Local, Shop]]]:
    """Make a shop on a platform of its own; returns both."""
    with shops(own_local, tmp_path) as maker:
        yield lambda **changes: (own_local, maker(**changes))


@pytest.fixture
def shop(make: Make) -> Shop:
    """A Procfile-only app in delivery mode, its pipeline applied."""
    return make()


def spec(name: str) -> PipelineSpec:
    """A pipeline with one app a stage."""
    verify = VerifySpec(path="/index.html", within=timedelta(seconds=5), passes=1)
    return PipelineSpec(
        name=name,
        platform="local",
        mode="delivery",
        ci=CiSpec("command", "! grep rude index.html"),
        review=ReviewSpec(),
        stages=(
            stage("staging", f"{name}-staging", branch="main", verify=verify),
            stage("production", f"{name}-production", verify=verify),
        ),
    )


def stage(name: str, *apps: str, **changes: Any) -> StageSpec:
    """A stage of that name and kind, all apps in one wave unless told otherwise."""
    return StageSpec(**{"name": name, "kind": Stage(name), "apps": apps, "waves": (apps,), **changes})


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def judged() -> Iterator[None]:
    """Fail the test whose traffic is not what Heroku publishes: the platform's replies, and what herodeploy asks."""
    yield
    found = platforms.verdict()
    assert not found, "\n".join(found)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[github_server.GitHub]:
    """A server that speaks as GitHub does, named by the environment."""
    with github_server.running() as server:
        monkeypatch.setenv("GITHUB_API_URL", server.url)
        monkeypatch.setenv("GITHUB_TOKEN", server.token or "")
        monkeypatch.delenv("GH_TOKEN", raising=False)
        yield server
