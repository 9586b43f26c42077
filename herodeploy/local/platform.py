"""One local platform: its memory, its logs, its dynos, its router, and the life cycles that move them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from herodeploy.local import records
from herodeploy.local.api.account import EMAIL
from herodeploy.local.attach.attachments import Attachments
from herodeploy.local.clock import Clock
from herodeploy.local.dynos.supervisor import Supervisor
from herodeploy.local.git.pushes import Pushes
from herodeploy.local.git.repositories import Repositories
from herodeploy.local.lifecycle import (
    addon_upkeep,
    app_setups,
    builds,
    deliveries,
    housekeeping,
    promotions,
    releases,
    review_apps,
    sources,
    testruns,
)
from herodeploy.local.lifecycle.jobs import Jobs
from herodeploy.local.logs import Logs
from herodeploy.local.postgres.server import Server
from herodeploy.local.process import sandbox
from herodeploy.local.rehearsal.faults import Faults
from herodeploy.local.rehearsal.gate import Requests
from herodeploy.local.router.router import AppPorts, Route, Router
from herodeploy.local.settings import Settings
from herodeploy.local.state import State
from herodeploy.local.tls.doors import Doors
from herodeploy.local.wire.limits import Limiter
from herodeploy.local.wire.streams import Streams

log = logging.getLogger(__name__)

RECOVERING = (sources, builds, releases, promotions, app_setups, review_apps, testruns, addon_upkeep)
"""What fails when the platform dies, in the order in which it is put right."""

Listener = Callable[[records.App, str, str, Any], None]


class Platform:
    """The composition of everything; handlers and life cycles get it as their first argument.

    Parameters:
        settings: with the real port (not 0): addresses are made of it.
        token: what callers of the API must know.
        control_token: what callers of the control API must know.

    Raises:
        IsolationUnavailable: the settings require isolation.

    Attributes:
        github_token: what callers of the one call of GitHub's must know; new at each start.
        state: the records.
        clock: the time, which tests may advance.
        limiter: how many API calls are left.
        faults: what is ordered to go wrong.
        requests: the newest requests to the API.
        ending: set once the platform is stopped.
        streams: output of builds, release phases and tests.
        logs: the apps' logs.
        isolation: of builds and dynos, or why there is none.
        supervisor: the dynos.
        postgres: the server that heroku-postgresql add-ons live in.
        repositories: of apps, for ``git push``.
        pushes: that go on.
        attachments: dynos with somebody at the other end.
        doors: TLS, and the proxy to Heroku's GitHub side.
        builds: running builds by build id: ``await platform.builds.settled(build.id)``.
        releases: running releases by release id: ``await platform.releases.settled(release.id)``.
        jobs: everything else that runs by itself (promotions, review apps, test runs ...), by record id.
        build_slots: taken while a build or a test run works.
        listeners: called for each `publish`; webhooks are one.
        swept: ids of pipelines that were removed because they had no app.
        stopping: the API answers 503 from now on: what is cut off now is no answer to anybody.
    """

    def __init__(self, settings: Settings, token: str, control_token: str) -> None:
        self.settings = settings
        self.token = token
        self.control_token = control_token
        self.github_token = secrets.token_hex(20)
        self.email = EMAIL
        self.base_url = f"http://127.0.0.1:{settings.port}"
        for folder in (
            settings.data,
            settings.slugs,
            settings.sources,
            settings.caches,
            settings.streams,
            settings.logs,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.clock = Clock(settings.data / "clock")
        self.state = State(settings.data / "state.db")
        self.streams = Streams(settings.streams, self.base_url, settings.heartbeat)
        self.limiter = Limiter(settings.rate_limit, settings.rate_refill)
        self.faults = Faults()
        self.requests = Requests()
        self.ending = asyncio.Event()
        self.logs = Logs(settings.logs, self.clock.exactly)
        self.postgres = Server(settings.postgres, settings.postgres_url)
        self.isolation = sandbox.choose(settings.isolation, settings.isolation_paths)
        self.supervisor = Supervisor(settings, self.logs, self.isolation.sandbox, self.now)
        self.router = Router(settings, self.supervisor, self.logs, self._route)
        self.app_ports = AppPorts(self.router)
        self.repositories = Repositories(settings.repositories)
        self.pushes = Pushes()
        self.attachments = Attachments()
        self.doors = Doors(settings.certificates, settings.port, self.attachments.visit)
        self.builds = Jobs()
        self.releases = Jobs()
        self.jobs = Jobs()
        self.build_slots = asyncio.Semaphore(settings.builds_at_once)
        self.listeners: list[Listener] = []
        self.swept: set[str] = set()
        self.stopping = False
        self._build_turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._release_turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self) -> None:
        """Bring back what was there: cut work has failed, apps have their ports, dynos start again."""
        await self.doors.reopen()
        await self.supervisor.begin()
        await asyncio.to_thread(shutil.rmtree, self.settings.work, ignore_errors=True)
        self.settings.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.settings.isolation != "off" and self.isolation.sandbox is None:
            log.warning("builds and dynos are not isolated: %s", self.isolation.why_not)
        deliveries.attach(self)
        with self.state.changes():
            for life in RECOVERING:
                life.recover(self)
        for app in self.state.apps:
            port = await self.open_port(app)
            if port != app.router_port:
                app.router_port = port
                self.state.apps.put(app)
        await addon_upkeep.resume(self)
        for app in self.state.apps:
            await releases.converge(self, app)
        self.jobs.start("housekeeping", housekeeping.run(self))
        await app_setups.resume(self)
        await review_apps.resume(self)

    async def wind_down(self) -> None:
        """Let running work fail and end the output streams, while streams are still served."""
        self.stopping = True
        self.ending.set()
        for jobs in (self.jobs, self.builds, self.releases):
            await jobs.close()
        self.streams.close_all()

    async def close(self) -> None:
        """Stop what is left: dynos end, files close."""
        await self.wind_down()
        await self.doors.close()
        await self.app_ports.close_all()
        await self.supervisor.close()
        await self.postgres.close()
        await self.router.close()
        self.state.close()

    def app_named(self, name: str) -> records.App | None:
        """Return the app of that name."""
        return next((app for app in self.state.apps if app.name == name), None)

    def current_release(self, app: records.App) -> records.Release | None:
        """Return the release that serves; None only before the first."""
        found = self.state.releases.where(app_id=app.id, current=True)
        return found[-1] if found else None

    def web_url(self, app: records.App) -> str:
        """Return the address that the router answers for an app; `address` works with every client."""
        return f"http://{app.name}.localhost:{self.settings.port}/"

    def address(self, app: records.App) -> str:
        """Return the app's own loopback address, which needs no name resolution."""
        return f"http://127.0.0.1:{app.router_port}/"

    def now(self) -> datetime:
        """Return the platform's time, without microseconds."""
        return self.clock.now()

    def log(self, app: records.App, line: str) -> None:
        """Write an ``app[api]`` line into an app's log."""
        self.logs.write(app.id, "app", "api", line)

    def publish(self, app: records.App, entity: str, action: str, record: Any) -> None:
        """Tell listeners that something happened: entity ``api:release``, action ``create``, and its record."""
        for listener in self.listeners:
            listener(app, entity, action, record)

    def build_turn(self, app: records.App) -> asyncio.Lock:
        """Return the lock that lets one build of an app run at a time, in order."""
        return self._build_turns[app.id]

    def release_turn(self, app: records.App) -> asyncio.Lock:
        """Return the lock that lets releases of an app settle one after another, in order."""
        return self._release_turns[app.id]

    async def open_port(self, app: records.App) -> int:
        """Open the app's own port, the one it had last where that is free."""
        try:
            return await self.app_ports.open(app.name, app.router_port)
        except OSError:
            return await self.app_ports.open(app.name)

    async def close_port(self, app: records.App) -> None:
        """Close the app's own port."""
        await self.app_ports.close(app.name)

    def _route(self, name: str) -> Route | None:
        app = self.app_named(name)
        if app is None:
            return None
        current = self.current_release(app)
        return Route(
            app_id=app.id,
            app_name=app.name,
            deployed=current is not None and current.slug_id is not None,
            maintenance=app.maintenance,
            web_quantity=int(app.formation.get("web", {}).get("quantity", 0)),
        )
