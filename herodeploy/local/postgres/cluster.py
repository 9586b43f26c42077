"""A PostgreSQL of the platform's own: the wheel's programs under the process guard, behind a door with TLS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from herodeploy.local import ports
from herodeploy.local.disk import write_private
from herodeploy.local.postgres import certificate, programs
from herodeploy.local.postgres.child import GRACE, PATIENCE, Child
from herodeploy.local.postgres.door import OPEN
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.process import process
from herodeploy.local.process.ledger import Ledger

log = logging.getLogger(__name__)

ADMIN = "postgres"
CREATORS = "creators"
"""Who is in this role may enter the database `postgres`: tools that create databases begin there."""
PRIVATE = (
    "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC",
    f"CREATE ROLE {CREATORS} NOLOGIN",
    f"GRANT CONNECT ON DATABASE postgres TO {CREATORS}",
)
"""What a new cluster is told: the role of an add-on opens its own database and no other."""
READY = "database system is ready to accept connections"
BUSY = ("could not bind IPv4 address", "could not create any TCP/IP sockets")
"""What it says when someone took the port."""
TAKEN = "error while attempting to bind"
"""What its door says then."""
HELD = ("lock file", "pre-existing shared memory block")
"""What it says while the last one has not ended altogether."""
PAUSE = 0.5
DOOR = Path(__file__).with_name("door.py")
LINUX = sys.platform.startswith("linux")
SETTINGS = {
    "unix_socket_directories": "",
    "listen_addresses": ports.HOST,
    "max_connections": "200",
    "shared_buffers": "32MB",
    "lc_messages": "C",
    # A statement may hold what is secret to an app; the log of a platform must not.
    "log_min_error_statement": "panic",
}


class Cluster:
    """One database cluster in a folder, and its server while that runs.

    Parameters:
        folder: everything of it lies here: ``data``, the administrator's ``password`` and the ``port`` it had last.

    Attributes:
        port: where clients connect, with TLS or without; 0 before the first start.
        server_port: where the server itself listens, which speaks no TLS.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._ledger = Ledger(folder / "processes", folder / "none")
        self._server = Child(READY, self._ledger, signal.SIGINT)  # SIGTERM would wait for clients to leave
        self._door = Child(OPEN, self._ledger, signal.SIGTERM)
        self._watch: asyncio.Task[None] | None = None
        self.port = 0
        self.server_port = 0

    @property
    def password(self) -> str:
        """The administrator's."""
        return (self._folder / "password").read_text().strip()

    async def start(self) -> None:
        """Start the server, of a new cluster where there is none; it is started again whenever it ends by itself.

        Raises:
            Unavailable: it cannot be had.
        """
        try:
            await asyncio.to_thread(self._prepare)
            made = (self._data / "PG_VERSION").exists()
            if not self._has_password():
                await self._set_password(made=made)
            if not made:
                await self._create()
            await self._serve()
        except OSError as problem:
            raise Unavailable(f"PostgreSQL cannot be started: {problem.strerror or problem}") from None
        self._watch = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """End the server in order: connections are cut, the data is written."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
            self._watch = None
        await self._end()

    def _end_leftovers(self) -> None:
        """Kill what is left of the last server; only one platform uses the folder."""
        self._ledger.end_leftovers()
        until = time.monotonic() + GRACE
        while (pids := _working_in(self._data)) and time.monotonic() < until:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        if LINUX:  # by now its number may be a stranger's, and PostgreSQL would wait for that one
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._folder / "statements").unlink(missing_ok=True)
        self._end_leftovers()

    def _has_password(self) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return bool(self.password)
        return False

    async def _set_password(self, *, made: bool) -> None:
        """Choose the administrator's password, which a cluster that is made already is told."""
        password = secrets.token_hex(32)
        if made:
            await self._tell(self._data, f"ALTER ROLE {ADMIN} PASSWORD '{password}'")
        write_private(self._folder / "password", f"{password}\n".encode())

    async def _create(self) -> None:
        """Make the cluster beside its place, so that one cut off half-way is never taken for a whole one."""
        fresh = self._folder / "data.new"
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        argv = [
            *programs.as_user(fresh), str(programs.folder() / "initdb"), "--no-instructions", "--encoding=UTF8",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--username={ADMIN}",
            "--auth=scram-sha-256", f"--pwfile={self._folder / 'password'}", "-D", str(fresh),
        ]  # fmt: skip
        said: deque[str] = deque(["it said nothing."], maxlen=1)
        if await process.run(self._command(argv), said.append, PATIENCE) != 0:
            raise Unavailable(f"PostgreSQL could not make a database: {said[-1]}")
        await self._tell(fresh, *PRIVATE)
        fresh.rename(self._data)

    async def _tell(self, data: Path, *statements: str) -> None:
        """Have a cluster that does not run carry out statements, of one line each."""
        file = self._folder / "statements"
        write_private(file, "".join(f"{each}\n" for each in statements).encode())
        single = [*self._program(data, "--single"), "--exit_on_error=on", ADMIN]
        said: deque[str] = deque(["it said nothing."], maxlen=1)
        try:
            told = ["bash", "-c", 'exec "$@" <"$0"', str(file), *single]
            if await process.run(self._command(told), said.append, PATIENCE) != 0:
                raise Unavailable(f"PostgreSQL could not prepare its database: {said[-1]}")
        finally:
            file.unlink(missing_ok=True)

    async def _serve(self) -> None:
        """Start the server and its door, on the port it had last; on another where that is taken."""
        until = asyncio.get_running_loop().time() + PATIENCE
        tls = await asyncio.to_thread(certificate.ensure, self._folder)
        wanted = self._last_port()
        while asyncio.get_running_loop().time() < until:
            if await self._launch(wanted, tls):
                write_private(self._folder / "port", str(self.port).encode())
                return
            if self._server.runs:  # its door could not be opened
                await self._server.stop()
                if not self._door.said(TAKEN):
                    raise Unavailable(f"PostgreSQL's door could not be opened: {self._door.last_words}")
                wanted = 0
            elif self._server.said(*BUSY):
                wanted = wanted if tls else 0
            elif not self._server.said(*HELD):
                break
            await asyncio.sleep(0.1)
        raise Unavailable(f"PostgreSQL could not be started: {self._server.last_words}")

    def _last_port(self) -> int:
        """Return the port it had last; 0 where that is not known."""
        try:
            port = int((self._folder / "port").read_text())
        except (OSError, ValueError):
            return 0
        return port if 0 < port < 65536 else 0

    async def _launch(self, wanted: int, tls: tuple[Path, Path] | None) -> bool:
        """Start the server and its door once; tell whether clients can connect."""
        with _two_ports() as (one, other):
            self.port = wanted or one
            self.server_port = other if tls else self.port
            if not await self._server.start(self._postgres(self.server_port)):
                return False
            return tls is None or await self._door.start(self._doorkeeper(tls))

    def _postgres(self, port: int) -> process.Command:
        return self._command([*self._program(self._data), f"--port={port}"])

    def _program(self, data: Path, *mode: str) -> list[str]:
        version = (data / "PG_VERSION").read_text().strip()
        server = [*programs.as_user(data), str(programs.folder(version) / "postgres"), *mode, "-D", str(data)]
        return [*server, *(f"--{name}={value}" for name, value in SETTINGS.items())]

    def _doorkeeper(self, tls: tuple[Path, Path]) -> process.Command:
        opens = [str(self.port), str(self.server_port), *map(str, tls)]
        return self._command([sys.executable, "-I", "-S", str(DOOR), *opens])

    async def _keep_running(self) -> None:
        pause = PAUSE
        while True:
            ends = {asyncio.ensure_future(each.wait()) for each in (self._server, self._door) if each.runs}
            if ends:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                log.error("PostgreSQL ended by itself: %s", self._server.last_words)
            await self._end()
            await asyncio.sleep(pause)
            try:
                await asyncio.to_thread(self._end_leftovers)
                await self._serve()
                pause = PAUSE
            except (Unavailable, OSError) as problem:
                log.error("PostgreSQL could not be started again: %s", problem)  # noqa: TRY400 # no bug of ours
                pause = min(pause * 2, 60)

    async def _end(self) -> None:
        await self._door.stop()
        await self._server.stop()

    def _command(self, argv: Sequence[str]) -> process.Command:
        return process.Command(argv, self._folder, process.clean_env({"HOME": str(self._folder), "LC_ALL": "C"}))


@contextlib.contextmanager
def _two_ports() -> Iterator[tuple[int, int]]:
    """Keep two free ports from others until somebody listens there."""
    held = [ports.reserve(), ports.reserve()]
    try:
        yield held[0].port, held[1].port
    finally:
        for each in held:
            each.release()


def _working_in(folder: Path) -> list[int]:
    """Return who works in a folder (Linux; nobody elsewhere): every process of a PostgreSQL works in its data."""
    if not LINUX:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == folder.resolve():
                    found.append(int(entry.name))
    return found
