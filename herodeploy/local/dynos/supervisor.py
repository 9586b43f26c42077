"""Makes what runs agree with what should run, app by app."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from herodeploy.local.attach.attachments import Attachment, NobodyCame
from herodeploy.local.dynos.dyno import Dyno, Room
from herodeploy.local.dynos.plan import DynoView, Plan
from herodeploy.local.logs import Logs
from herodeploy.local.process.ledger import Ledger
from herodeploy.local.process.sandbox import Sandbox
from herodeploy.local.settings import Settings

__all__ = ["DynoView", "NoDyno", "Plan", "Supervisor", "Target"]

SHUTDOWN_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """A web dyno that takes requests."""

    name: str
    port: int


class NoDyno(Exception):
    """No web dyno can take the request; `code` is the router's: H10, H14 or H20."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Supervisor:
    """All dynos of a platform; isolated, where there is a sandbox.

    Parameters:
        now: the platform's time; the machine's by default.
    """

    def __init__(
        self, settings: Settings, logs: Logs, sandbox: Sandbox | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        self._settings = settings
        ledger = Ledger(settings.data / "processes", settings.work / "dynos")
        self._room = Room(settings, logs, ledger, self._wake, sandbox, **({"now": now} if now else {}))
        self._plans: dict[str, Plan] = {}
        self._dynos: dict[str, list[Dyno]] = {}
        self._relieved: set[Dyno] = set()
        self._leaving: dict[asyncio.Task[None], Dyno] = {}
        self._errands: set[asyncio.Task[Any]] = set()
        self._news: dict[str, asyncio.Event] = {}
        self._begun = False
        self._closed = False

    async def begin(self) -> None:
        """End what an earlier platform left running and remove its dynos' disks; the first work does it, too."""
        if self._begun:
            return
        self._begun = True
        self._room.ledger.end_leftovers()
        await asyncio.to_thread(shutil.rmtree, self._room.disks, ignore_errors=True)

    async def converge(self, plan: Plan) -> None:
        """Make an app run as planned; returns when all changes are begun.

        New code or config restarts every dyno: the new ones start at the moment the old ones get SIGTERM, but for web
        dynos under preboot.
        """
        await self.begin()
        if self._closed:
            return
        before = self._plans.get(plan.app_id)
        stays = before is not None and before.runs_the_same(plan)
        self._plans[plan.app_id] = plan
        wanted = plan.formation()
        relieved = set()
        for dyno in self._formation(plan.app_id):
            name, size = dyno.view.name, dyno.view.size
            if dyno in self._relieved and stays:
                continue
            if name in wanted and stays and size == plan.size(wanted[name]):
                del wanted[name]
            elif plan.preboot and not stays and dyno.view.type == "web" and dyno.view.state == "up":
                relieved.add(dyno)
            else:
                self._dismiss(dyno, "starting" if name in wanted else "down")
        for name, kind in wanted.items():
            self._launch(plan, name, kind)
        if relieved:
            self._relieved |= relieved
            self._errand(self._relieve(plan, relieved))
        self._wake(plan.app_id)

    async def remove(self, app_id: str) -> None:
        """Stop everything of an app and wait for its end."""
        self._plans.pop(app_id, None)
        for dyno in list(self._dynos.get(app_id, [])):
            self._dismiss(dyno, "down")
        leaving = [task for task, dyno in self._leaving.items() if dyno.view.app_id == app_id]
        if leaving:
            await asyncio.wait(leaving)
        self._dynos.pop(app_id, None)
        self._wake(app_id)
        self._news.pop(app_id, None)

    async def run_once(
        self,
        plan: Plan,
        *,
        type: str,  # noqa: A002 # Heroku's word
        command: str,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        output: Callable[[str], None] | None = None,
        timeout: float,
    ) -> int:
        """Run a one-off dyno to its end and return its exit status, never 0 when it had to be stopped.

        Parameters:
            type: ``run``, ``release`` or ``scheduler``.
            name: by default type and four digits, ``run.4711``.
            env: variables on top of the config vars.
            output: gets each line of output, beside the app's log.
            timeout: seconds until it is stopped.

        Raises:
            OSError: it could not be started, or `output` failed.
        """
        dyno = await self._hire(plan, type, command, name, env, output)
        return await self._attend(dyno, dyno.once(), timeout)

    async def run_detached(
        self,
        plan: Plan,
        *,
        type: str = "run",  # noqa: A002 # Heroku's word
        command: str,
        name: str | None = None,
        env: Mapping[str, str] | None = None,
        output: Callable[[str], None] | None = None,
        timeout: float = 86_400,
        attachment: Attachment | None = None,
    ) -> DynoView:
        """Start a one-off dyno; parameters as of `run_once`.

        Parameters:
            attachment: whoever attaches to it; it waits for that.
        """
        dyno = await self._hire(plan, type, command, name, env, output, attachment)
        self._errand(self._attend_quietly(dyno, timeout, attachment))
        return dyno.view

    def dynos(self, app_id: str) -> list[DynoView]:
        """Return the dynos of an app, without those that are being replaced."""
        return [dyno.view for dyno in self._dynos.get(app_id, [])]

    async def restart(self, app_id: str, *, name: str | None = None, type: str | None = None) -> None:  # noqa: A002
        """Replace the named dyno, those of a process type, or all; one-off dynos are stopped when named."""
        plan = self._plans.get(app_id)
        for dyno in self._matching(app_id, name, type):
            kept = plan is not None and dyno in self._formation(app_id)
            if kept or name is not None:
                self._dismiss(dyno, "starting" if kept else "down")
            if kept and plan is not None:
                self._launch(plan, dyno.view.name, dyno.view.type)

    async def stop(self, app_id: str, *, name: str | None = None, type: str | None = None) -> None:  # noqa: A002
        """Stop dynos; those of the formation stay listed as down until a restart or the next release."""
        for dyno in self._matching(app_id, name, type):
            listed = dyno in self._formation(app_id)
            self._dismiss(dyno, "down")
            if listed:
                self._dynos[app_id].append(dyno)

    async def pick_web(self, app_id: str, besides: Collection[str] = (), patience: float | None = None) -> Target:
        """Return a random web dyno that is up; wait for one that is starting.

        Parameters:
            besides: names of dynos that did not answer just now.
            patience: seconds to wait; the platform's queue time by default.

        Raises:
            NoDyno: H14 without web dynos, H10 when all crashed, H20 when none came up in time.
        """
        limit = self._settings.queue_timeout if patience is None else patience
        try:
            async with asyncio.timeout(limit):
                while True:
                    target = self._web_now(app_id, besides)
                    if target is not None:
                        return target
                    await self._news.setdefault(app_id, asyncio.Event()).wait()
        except TimeoutError:
            raise NoDyno("H20") from None

    async def close(self) -> None:
        """Stop everything, within about five seconds."""
        self._closed = True
        grace = min(SHUTDOWN_GRACE, self._settings.stop_timeout)
        everyone = {dyno for dynos in self._dynos.values() for dyno in dynos} | set(self._leaving.values())
        await asyncio.gather(*(dyno.stop(grace) for dyno in everyone))
        rest = {*self._leaving, *self._errands}
        if rest:
            await asyncio.wait(rest)
        self._dynos.clear()
        for app_id in list(self._news):
            self._wake(app_id)

    def _web_now(self, app_id: str, besides: Collection[str]) -> Target | None:
        """Return a web dyno that is up, None when waiting for one makes sense."""
        webs = [dyno.view for dyno in self._formation(app_id) if dyno.view.type == "web"]
        if not webs:
            raise NoDyno("H14")
        up = [view for view in webs if view.state == "up"]
        fresh = [view for view in up if view.name not in besides]
        if fresh or up:
            chosen = random.choice(fresh or up)  # noqa: S311 # balancing, no secret
            return Target(chosen.name, chosen.port)
        if any(view.state == "starting" for view in webs):
            return None
        raise NoDyno("H10")

    def _formation(self, app_id: str) -> list[Dyno]:
        """Return the dynos that are kept running, without one-offs."""
        return [dyno for dyno in self._dynos.get(app_id, []) if dyno.kept]

    def _matching(self, app_id: str, name: str | None, kind: str | None) -> list[Dyno]:
        return [
            dyno
            for dyno in self._dynos.get(app_id, [])
            if name in (None, dyno.view.name) and kind in (None, dyno.view.type)
        ]

    def _launch(self, plan: Plan, name: str, kind: str) -> None:
        dyno = Dyno(self._room, plan, name, kind, plan.process_types[kind])
        self._dynos.setdefault(plan.app_id, []).append(dyno)
        dyno.keep()

    async def _relieve(self, plan: Plan, old: Collection[Dyno]) -> None:
        """End the web dynos of the release before, once none of this one is starting any more, and a while later."""
        try:
            while any(
                dyno.view.type == "web" and dyno.view.state == "starting" and dyno not in old
                for dyno in self._formation(plan.app_id)
            ):
                await self._news.setdefault(plan.app_id, asyncio.Event()).wait()
            await self._news_until(plan.app_id, self._settings.preboot_overlap)
        finally:
            self._relieved -= set(old)
            for dyno in old:
                if dyno in self._formation(plan.app_id):
                    self._dismiss(dyno, "down")

    async def _news_until(self, app_id: str, seconds: float) -> None:
        """Wait so long, or until the platform closes."""
        ends = asyncio.get_running_loop().time() + seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(ends):
                while not self._closed:
                    await self._news.setdefault(app_id, asyncio.Event()).wait()

    async def _hire(
        self,
        plan: Plan,
        kind: str,
        command: str,
        name: str | None,
        env: Mapping[str, str] | None,
        output: Callable[[str], None] | None,
        attachment: Attachment | None = None,
    ) -> Dyno:
        await self.begin()
        if self._closed:
            raise OSError("the platform is shutting down")
        number = random.randint(1000, 9999)  # noqa: S311 # a name, no secret
        dyno = Dyno(
            self._room, plan, name or f"{kind}.{number}", kind, command, env=env, output=output, attachment=attachment
        )
        self._dynos.setdefault(plan.app_id, []).append(dyno)
        return dyno

    async def _attend(self, dyno: Dyno, task: asyncio.Task[int], seconds: float) -> int:
        """Wait for a one-off dyno; stop it when time is up or the caller gives up."""
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
            if done and not dyno.stopping:
                return task.result()
            await dyno.stop(self._settings.stop_timeout)
            if not done:
                dyno.tell(f"The command took longer than {seconds:g} seconds and was stopped")
            return 1 if task.cancelled() else task.result() or 1
        except asyncio.CancelledError:
            await dyno.stop(min(SHUTDOWN_GRACE, self._settings.stop_timeout))
            raise
        finally:
            self._strike(dyno)

    async def _attend_quietly(self, dyno: Dyno, seconds: float, attachment: Attachment | None) -> None:
        try:
            await self._attend(dyno, dyno.once(), seconds)
        except NobodyCame as error:
            dyno.say(f"Error R13 (Attach error) -> {error}")
        except Exception as error:  # noqa: BLE001 # nobody waits for it: the app's log has to tell
            dyno.say(f"Error R99 (Platform error) -> Failed to launch the dyno: {error}")
        finally:
            if attachment is not None:
                await attachment.close()

    def _dismiss(self, dyno: Dyno, to: str) -> None:
        """Let a dyno end in the background; it is out of the list at once, so that no request reaches it."""
        self._strike(dyno)
        dyno.begin_stop(to)
        task = asyncio.create_task(dyno.stop(self._settings.stop_timeout))
        self._leaving[task] = dyno
        task.add_done_callback(lambda done: self._leaving.pop(done, None))

    def _strike(self, dyno: Dyno) -> None:
        dynos = self._dynos.get(dyno.view.app_id, [])
        if dyno in dynos:
            dynos.remove(dyno)
        self._wake(dyno.view.app_id)

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _wake(self, app_id: str) -> None:
        """Tell requests that wait for a dyno of that app to look again."""
        news = self._news.pop(app_id, None)
        if news is not None:
            news.set()
