"""What every flow works with: the configuration, the repository, the platform, the store and a way to tell."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from herodeploy.domain.event import Event
from herodeploy.domain.progress import Note, NoteKind, Report
from herodeploy.errors import UsageError
from herodeploy.heroku.redact import output

if TYPE_CHECKING:
    from herodeploy.domain.pipeline import App, Pipeline, PipelineSpec, StageSpec
    from herodeploy.domain.release import Slug
    from herodeploy.forge.git import Repository
    from herodeploy.heroku.client import Heroku
    from herodeploy.store.store import Store

LOCAL_POLL = 0.2
HEROKU_POLL = 2.0
FRESH = 10.0
"""Seconds for which what was looked at counts as what is there."""
BOOT_WITHIN = timedelta(seconds=150)


def utc_now() -> datetime:
    """Return the time, to the second's fraction, in UTC."""
    return datetime.now(UTC)


@dataclass
class Services:
    """The flows' surroundings; nothing is contacted before it is needed.

    Parameters:
        connect: makes the platform's client at first use.
        open_store: opens the store at first use.
        report: takes what is told, from any thread.
        actor: who acts, as the audit log names them.
        poll: seconds between two looks at the platform.
        address: what to show as an app's URL.
        boot_within: how long dynos of a new release may take to be up.
        at_once: apps that are worked on at the same time, each in a thread; as many connections are kept.
        nonce: told apart from that of an earlier process, so that a step knows it is run again.
    """

    spec: PipelineSpec
    repo: Repository
    connect: Callable[[], Heroku]
    open_store: Callable[[], Store]
    report: Report
    actor: str
    clock: Callable[[], datetime] = utc_now
    poll: float = HEROKU_POLL
    pause: Callable[[float], None] = time.sleep
    address: Callable[[App], str | None] = field(default=lambda app: app.web_url)
    boot_within: timedelta = BOOT_WITHIN
    at_once: int = 32
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)
    _looks: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)
    _slugs: dict[str, Slug] = field(default_factory=dict, init=False, repr=False, compare=False)
    _slugs_turn: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @cached_property
    def heroku(self) -> Heroku:
        """The platform's client."""
        return self.connect()

    @cached_property
    def store(self) -> Store:
        """Deliveries, approvals, modes and events."""
        return self.open_store()

    def load(self) -> None:
        """Open what would be opened at first use, which two threads must not do at the same time."""
        self.heroku.load()
        self.pipeline()
        _ = self.store

    def looked(self) -> str:
        """Return a token for what has been looked at just now: it saves one more look at the same."""
        token = uuid.uuid4().hex
        self._looks[token] = time.monotonic()
        return token

    def saves_a_look(self, token: str | None) -> bool:
        """Whether a token of `looked` is of this process, some seconds old, and not used yet; it is from now on."""
        at = self._looks.pop(token or "", None)
        return at is not None and time.monotonic() - at < FRESH

    def slug(self, app: str, slug_id: str) -> Slug:
        """Return an app's slug; none ever changes, so each is asked for once."""
        with self._slugs_turn:
            if slug_id not in self._slugs:
                self._slugs[slug_id] = self.heroku.slugs.get(app, slug_id)
            return self._slugs[slug_id]

    def close(self) -> None:
        """Let go of what was opened."""
        if "store" in self.__dict__:
            self.store.close()
        self.disconnect()

    def disconnect(self) -> None:
        """Let go of the platform's client; the next use makes another."""
        if "heroku" in self.__dict__:
            self.heroku.close()
            del self.heroku

    def pipeline(self) -> Pipeline:
        """Return the pipeline that herodeploy.yml names.

        Raises:
            UsageError: it is not there, or several carry its name and none holds our apps.
        """
        return self._pipeline

    @cached_property
    def _pipeline(self) -> Pipeline:
        found = self.find_pipeline()
        if found is None:
            raise UsageError(
                f"pipeline '{self.spec.name}' is not on {self.heroku.base_url}", hint="create it: herodeploy apply"
            )
        return found

    def find_pipeline(self) -> Pipeline | None:
        """Return the pipeline that herodeploy.yml names, or None; several of one name are told apart by our apps."""
        found = self.heroku.pipelines.find(self.spec.name)
        if len(found) <= 1:
            return found[0] if found else None
        ours = [pipeline for pipeline in found if self._holds_our_apps(pipeline)]
        if len(ours) == 1:
            return ours[0]
        raise UsageError(
            f"{len(found)} pipelines are called '{self.spec.name}' and none alone holds the apps of herodeploy.yml",
            hint="rename one: heroku pipelines:rename",
        )

    def _holds_our_apps(self, pipeline: Pipeline) -> bool:
        app_ids = [coupling.app_id for coupling in self.heroku.couplings.list(pipeline.id)]
        names = {app.name for app in self.heroku.apps.filter(app_ids)}
        return any(app in names for stage in self.spec.stages for app in stage.apps)

    def stage(self, name: str) -> StageSpec:
        """Return the stage of that name.

        Raises:
            UsageError: herodeploy.yml has none.
        """
        stage = self.spec.stage(name)
        if stage is None:
            names = ", ".join(stage.name for stage in self.spec.stages)
            raise UsageError(f"herodeploy.yml has no stage '{name}'", hint=f"one of: {names}")
        return stage

    def tell(self, kind: NoteKind, text: str, *, leg: str | None = None, app: str | None = None) -> None:
        """Report one thing."""
        self.report(Note(kind, text, leg=leg, app=app))

    def sink(self, *, leg: str | None = None, app: str | None = None, beside: bool = False) -> Callable[[str], None]:
        """Return what takes lines of output and reports each; `beside` as of `Note`."""
        return lambda line: self.report(Note("output", output(line.rstrip("\r\n")), leg=leg, app=app, beside=beside))

    def event(
        self,
        kind: str,
        text: str,
        *,
        delivery_id: str | None = None,
        stage: str | None = None,
        data: dict[str, object] | None = None,
        by: str | None = None,
    ) -> Event:
        """Return an event of now, by `by` or the actor, in this pipeline."""
        return Event(
            at=self.clock(),
            pipeline_id=self.pipeline().id,
            kind=kind,
            actor=by or self.actor,
            text=text,
            delivery_id=delivery_id,
            stage=stage,
            data=data or {},
        )
