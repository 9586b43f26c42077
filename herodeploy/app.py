"""The composition root: settings to adapters. It alone names adapters."""

from __future__ import annotations

import dataclasses
import getpass
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from herodeploy.domain.secret import Secret
from herodeploy.errors import UsageError
from herodeploy.flows.services import HEROKU_POLL, LOCAL_POLL, Services

if TYPE_CHECKING:
    from herodeploy.domain.pipeline import App, PipelineSpec
    from herodeploy.domain.progress import Report
    from herodeploy.engine.port import Engine
    from herodeploy.engine.worker_lock import WorkerLock
    from herodeploy.heroku.client import Heroku
    from herodeploy.store.store import Store

__all__ = ["Services", "at_post", "exclusive", "open_services", "standing_worker", "worker"]

CONFIG_NAME = "herodeploy.yml"


def open_services(
    root: Path,
    *,
    report: Report,
    config: Path | None = None,
    platform: str | None = None,
    actor: str | None = None,
    local_address: Callable[[], tuple[str, Secret]] | None = None,
    address: Callable[[App], str | None] | None = None,
    ask_code: Callable[[bool], str] | None = None,
) -> Services:
    """Read herodeploy.yml, open the repository around `root` and make what the flows work with.

    Parameters:
        config: another file than herodeploy.yml at the repository's root.
        platform: overrides the file's ``platform``.
        actor: who acts; git's user.email, else the user's name.
        local_address: the local platform's address and token, asked at first use; it may start the platform.
        address: what to show as an app's URL; its ``web_url`` unless given.
        ask_code: returns the second factor that a person types, and is told whether the last one was not taken;
            without it, what needs one is refused.

    Raises:
        ConfigError: herodeploy.yml cannot be read.
        RepositoryError: `root` is in no usable git repository.
    """
    from herodeploy.config.load import load
    from herodeploy.forge.git import Repository

    repo = Repository.open(root)
    spec = _with_platform(load(config or repo.root / CONFIG_NAME), platform)
    services = Services(
        spec=spec,
        repo=repo,
        connect=lambda: _connect(spec, local_address, ask_code),
        open_store=_open_store,
        report=report,
        actor=actor or default_actor(repo.root),
        poll=_poll(spec),
    )
    return services if address is None else dataclasses.replace(services, address=address)


@contextmanager
def exclusive(services: Services, *, within: timedelta | None = None) -> Iterator[None]:
    """Keep every other herodeploy of this store off the pipeline while the block lasts.

    Parameters:
        within: how long to wait for another one that is at it; None does not wait.

    Raises:
        Busy: another one works on it.
    """
    with _alone(services, within):
        yield


@contextmanager
def worker(services: Services, *, within: timedelta | None = None) -> Iterator[Engine]:
    """Open the durable engine with the legs of deliveries, alone on the pipeline while the block lasts.

    Parameters:
        within: as of `exclusive`.

    Raises:
        Busy: another herodeploy works on this pipeline.
        StoreError: the lock's database cannot be used.
    """
    from herodeploy.engine import place
    from herodeploy.engine.lazy import LazyEngine

    pipeline_id, url = services.pipeline().id, services.store.url
    with _alone(services, within) as lock:
        # Between two turns somebody else may have had one: what this process did before is to be looked at anew.
        services.nonce = uuid.uuid4().hex

        def make() -> Engine:
            from herodeploy.engine.durable import DurableEngine
            from herodeploy.flows.deliver import legs

            where = place.database(url, pipeline_id)
            return DurableEngine(where, f"pipeline-{pipeline_id}", legs(services), fence=lock.check)

        engine = LazyEngine(make)
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def _alone(services: Services, within: timedelta | None) -> Iterator[WorkerLock]:
    from herodeploy.engine.worker_lock import WorkerLock

    lock = WorkerLock(services.store.url, services.pipeline().id)
    lock.acquire(within, lambda busy: services.tell("wait", busy))
    try:
        yield lock
    finally:
        lock.release()


@contextmanager
def at_post(services: Services) -> Iterator[Callable[[], None]]:
    """Be the pipeline's standing worker while the block lasts: `herodeploy worker`.

    Yields:
        what raises `Busy` once the post is lost.

    Raises:
        Busy: another one is.
    """
    from herodeploy.engine.worker_lock import WorkerLock

    with WorkerLock(services.store.url, services.pipeline().id, "post") as post:
        yield post.check


def standing_worker(services: Services) -> str | None:
    """Return who stands by to carry this pipeline's deliveries on, such as ``process 4711``; None where nobody does."""
    from herodeploy.engine.worker_lock import WorkerLock

    return WorkerLock(services.store.url, services.pipeline().id, "post").holder()


def default_actor(root: Path) -> str:
    """Return who acts: ``HERODEPLOY_ACTOR``, else git's user.email, else the user's name."""
    asked = subprocess.run(["git", "config", "user.email"], cwd=root, capture_output=True, text=True, check=False)
    return os.environ.get("HERODEPLOY_ACTOR") or asked.stdout.strip() or getpass.getuser()


def _with_platform(spec: PipelineSpec, platform: str | None) -> PipelineSpec:
    if platform is None or platform == spec.platform:
        return spec
    if platform not in ("heroku", "local"):
        raise UsageError(f"no platform '{platform}'", hint="one of: heroku, local")
    return dataclasses.replace(spec, platform=cast("Literal['heroku', 'local']", platform))


def _connect(
    spec: PipelineSpec,
    local_address: Callable[[], tuple[str, Secret]] | None,
    ask_code: Callable[[bool], str] | None,
) -> Heroku:
    from herodeploy.heroku.client import Heroku

    if spec.platform == "local" and local_address is not None:
        url, token = local_address()
        return Heroku.connect(url, token, ask_code=ask_code)
    return Heroku.connect(ask_code=ask_code)


def _open_store() -> Store:
    from herodeploy.store.store import Store

    return Store.open()


def _poll(spec: PipelineSpec) -> float:
    return LOCAL_POLL if spec.platform == "local" else HEROKU_POLL
