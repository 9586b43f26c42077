"""One dyno: a process on a fresh disk, watched, told about in the logs, started again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from herodeploy.local import ports, runtime
from herodeploy.local.attach.attachments import Attachment
from herodeploy.local.dynos.plan import DynoView, Plan
from herodeploy.local.logs import Logs
from herodeploy.local.process import process as processes
from herodeploy.local.process.ledger import Ledger
from herodeploy.local.process.sandbox import Mount, Sandbox
from herodeploy.local.settings import Settings
from herodeploy.local.threads import in_thread

CALM = 600  # seconds; a dyno that lived longer crashes anew, not again
DAY = 86_400
STARTS = 2  # at once; more come up no sooner, but keep the platform from its processor
POLL = 0.025  # seconds between looks at the port of a starting web dyno
PROMPT = r"\[\033[01;34m\]\w\[\033[00m\] \[\033[01;32m\]$ \[\033[00m\]"


@dataclass
class Room:
    """What all dynos of a platform share; `changed` is called with the app's id after every change of state.

    Attributes:
        starts: taken while a dyno gets its disk and its process; many at once would leave the API no processor.
    """

    settings: Settings
    logs: Logs
    ledger: Ledger
    changed: Callable[[str], None]
    sandbox: Sandbox | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0)
    starts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STARTS), init=False)

    @property
    def disks(self) -> Path:
        """Where every dyno gets a folder of its own, private and fresh."""
        return self.settings.work / "dynos"


class Dyno:
    """A dyno of a release; `kept` when it belongs to the formation, `stopping` once it was told to end.

    Parameters:
        env: variables on top of the config vars, for one-off dynos.
        output: gets the lines of output too, not only the app's log.
        attachment: somebody whose input and output are the dyno's, instead of the app's log.
    """

    def __init__(
        self,
        room: Room,
        plan: Plan,
        name: str,
        kind: str,
        command: str,
        *,
        env: Mapping[str, str] | None = None,
        output: Callable[[str], None] | None = None,
        attachment: Attachment | None = None,
    ) -> None:
        now = room.now()
        self.view = DynoView(
            id=str(uuid.uuid4()), app_id=plan.app_id, name=name, type=kind, command=command, size=plan.size(kind),
            state="starting", release_id=plan.release_id, release_version=plan.release_version,
            created_at=now, updated_at=now, port=0,
        )  # fmt: skip
        self.kept = False
        self.stopping = False
        self._room = room
        self._plan = plan
        self._env = dict(env or {})
        self._output = output
        self._attachment = attachment
        self._process: processes.Process | None = None
        self._task: asyncio.Task[Any] | None = None

    def keep(self) -> None:
        """Run it from now on, again after every crash, until it is stopped."""
        self.kept = True
        self._task = asyncio.create_task(self._keep())

    def once(self) -> asyncio.Task[int]:
        """Run it to its end; the task returns the exit status."""
        self._task = task = asyncio.create_task(self._once())
        return task

    def begin_stop(self, to: str = "down") -> None:
        """Send SIGTERM to all its processes.

        Parameters:
            to: the state it goes to, as the log tells: ``starting`` where another takes its place.
        """
        if self.stopping:
            return
        self.stopping = True
        self.enter(to)
        if self._process is not None:
            self.say("Stopping all processes with SIGTERM")
            self._process.terminate()
        elif self._task is not None:
            self._task.cancel()

    async def stop(self, grace: float) -> None:
        """End it, by SIGKILL `grace` seconds after SIGTERM; returns when its disk is gone."""
        self.begin_stop()
        if self._task is None or await _ends(self._task, grace):
            return
        if self._process is not None:
            self.say(
                f"Error R12 (Exit timeout) -> At least one process failed to exit within {grace:g} seconds of SIGTERM"
            )
            self.say("Stopping remaining processes with SIGKILL")
            self._process.kill()
        await asyncio.wait({self._task})

    def enter(self, state: str) -> None:
        """Change the state, and tell so."""
        if state == self.view.state:
            return
        self.say(f"State changed from {self.view.state} to {state}")
        self.view.state = state
        self.view.updated_at = self._room.now()
        self._room.changed(self.view.app_id)

    def say(self, line: str) -> None:
        """Write to the app's log in the platform's name."""
        self._room.logs.write(self.view.app_id, "heroku", self.view.name, line)

    def tell(self, line: str) -> None:
        """Say it, and write it into the output as well."""
        self.say(line)
        if self._output is not None:
            self._output(line)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        crashes = 0
        while True:
            began = loop.time()
            await self._attempt()
            if self.stopping:
                return
            crashes = 0 if loop.time() - began > CALM else crashes + 1
            self.enter("crashed")
            if crashes > 1:
                await asyncio.sleep(min(self._room.settings.crash_cooloff * 2 ** (crashes - 2), DAY))
            self.enter("starting")

    async def _attempt(self) -> None:
        try:
            await self._run()
        except Exception as error:  # noqa: BLE001 # whatever it is, it is this dyno's crash and no one else's
            self.say(f"Error R99 (Platform error) -> Failed to launch the dyno: {error}")

    async def _once(self) -> int:
        status = await self._run()
        if not self.stopping:
            self.enter("complete")
        return status

    async def _run(self) -> int:
        """Live once: fresh disk, process, end; return the exit status."""
        disk = self._room.disks / uuid.uuid4().hex[:8]
        reserved: ports.Reservation | None = None
        try:
            # Somebody sits before an attached dyno, which waits for them: it takes no turn.
            async with self._room.starts if self._attachment is None else contextlib.nullcontext():
                home = await self._furnish(disk)
                reserved = ports.reserve()
                port = self.view.port = reserved.port
                self.say(f"Starting process with command `{self.view.command}`")
                start = processes.start if self._attachment is None else self._attachment.start
                self._process = await start(self._command(home, disk, port), self._take)
            self._room.ledger.add(self._process.pid)
            await self._boot(self._process, port)
            status = await self._process.wait()
            self.say(f"Process exited with status {status}")
            return status
        finally:
            await self._clear(disk, reserved)

    async def _furnish(self, disk: Path) -> Path:
        if self._plan.slug is None:
            raise FileNotFoundError("the release has no slug")
        return await in_thread(_furnish, self._plan.slug, disk)

    def _command(self, home: Path, disk: Path, port: int) -> processes.Command:
        argv = runtime.boot_script(self.view.command)
        if self._room.sandbox is None:
            return processes.Command(argv, home, self._environment(home, port, TMPDIR=str(disk / "tmp")))
        command = processes.Command(argv, home, self._environment(runtime.HOME, port))
        mounts = [Mount(home, runtime.HOME), Mount(disk / "tmp", runtime.TMP)]
        if self._room.settings.interpreters.is_dir():
            mounts.append(Mount(self._room.settings.interpreters, self._room.settings.interpreters, writable=False))
        return self._room.sandbox.enclose(command, mounts, runtime.HOME)

    def _environment(self, home: Path, port: int, **more: str) -> dict[str, str]:
        given = {**more, "PS1": PROMPT, **self._plan.extra_env, **self._plan.config, **self._env}
        fixed = {"PORT": str(port), "DYNO": self.view.name, "HOME": str(home)}
        return processes.clean_env(given | fixed)

    async def _boot(self, process: processes.Process, port: int) -> None:
        """Say `up` when it is: a web dyno of the formation when its port accepts connections, any other at once."""
        if self.view.type != "web" or not self.kept:
            self._come_up()
            return
        limit = self._room.settings.boot_timeout
        deadline = asyncio.get_running_loop().time() + limit
        ended = asyncio.ensure_future(process.wait())
        ended.add_done_callback(lambda done: done.cancelled() or done.exception())  # told by the one who waits for it
        while not ended.done():
            if await _accepts(port):
                self._come_up()
                return
            if asyncio.get_running_loop().time() >= deadline and not self.stopping:
                self.say(
                    "Error R10 (Boot timeout) -> Web process failed to bind to $PORT"
                    f" within {limit:g} seconds of launch"
                )
                self.say("Stopping process with SIGKILL")
                process.kill()
                return
            await asyncio.wait({ended}, timeout=POLL)

    def _come_up(self) -> None:
        if not self.stopping:
            self.enter("up")

    def _take(self, line: str) -> None:
        self._room.logs.write(self.view.app_id, "app", self.view.name, line)
        if self._output is not None:
            self._output(line)

    async def _clear(self, disk: Path, reserved: ports.Reservation | None) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._room.ledger.remove(process.pid)
        if reserved is not None:
            reserved.release()
        await in_thread(shutil.rmtree, disk, True)  # errors ignored


def _furnish(slug: Path, disk: Path) -> Path:
    (disk / "tmp").mkdir(parents=True)
    return runtime.unpack(slug, disk)


async def _accepts(port: int) -> bool:
    """Tell whether someone accepts connections on that port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (ports.HOST, port)), 1)
        except OSError:
            return False
        return True


async def _ends(task: asyncio.Task[Any], seconds: float) -> bool:
    done, _ = await asyncio.wait({task}, timeout=seconds)
    return bool(done)
