"""A local platform inside a Python program, for the tests of others."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from herodeploy.local import clients, folders
from herodeploy.local.rehearsal.client import Control
from herodeploy.local.settings import Settings

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0


class LocalPlatform:
    """Heroku on a free port of 127.0.0.1, as long as the ``with`` block lasts.

    It runs in a thread of this process and ends with it, however that ends::

        with LocalPlatform() as heroku:
            subprocess.run(["heroku", "apps"], env=os.environ | heroku.env)

    Parameters:
        data: a folder that keeps what the platform holds; by default a temporary one, gone at the end.
        port: a fixed one instead of a free one.
        token: the API token; by default the folder's, or a new one.
        settings: as of `herodeploy.local.settings.Settings`, such as ``boot_timeout=5``.

    Attributes:
        control: faults, the log of requests, the clock; see `Control`.
        platform: the running platform itself; only its own thread may change it.
        loop: that thread's event loop.

    Raises:
        OSError: the port is in use, or the folder cannot be used.
    """

    control: Control
    platform: Platform
    loop: asyncio.AbstractEventLoop

    def __init__(self, data: Path | str | None = None, *, port: int = 0, token: str | None = None, **settings: Any):
        self._data = None if data is None else Path(data).absolute()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._port = port
        self._token = token
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._ask_to_stop: Callable[[], None] | None = None
        self._problem: BaseException | None = None

    @property
    def data(self) -> Path:
        """The folder that holds everything."""
        return self.platform.settings.data

    @property
    def url(self) -> str:
        """Where the Platform API answers."""
        return self.platform.base_url

    @property
    def token(self) -> str:
        """What callers of the API must know."""
        return self.platform.token

    @property
    def env(self) -> dict[str, str]:
        """The variables that point the Heroku CLI and herodeploy here."""
        return clients.basic(self.url, self.token)

    def address(self, app: str) -> str:
        """Return the address of an app (by name or id) that needs no name resolution.

        Raises:
            LookupError: no such app.
        """
        for row in self.platform.state.apps:
            if app in (row.id, row.name):
                return self.platform.address(row)
        raise LookupError(f"there is no app {app!r} on this platform")

    def start(self) -> Self:
        """Start it; returns when it answers. `with` does it, too."""
        if self._data is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="herodeploy-")
            self._data = Path(self._temporary.name)
        settings = Settings(**{"data": folders.prepare(self._data), "port": self._port, **self._settings})
        started = threading.Event()
        self._problem = None
        self._thread = threading.Thread(target=self._run, args=(settings, started), name="local platform", daemon=True)
        self._thread.start()
        if not started.wait(START_TIMEOUT):
            raise TimeoutError(f"the local platform of {self._data} did not start within {START_TIMEOUT:g} seconds")
        if self._problem is not None:
            self.stop()
        self.control = Control(self.url, self.platform.control_token)
        return self

    def stop(self) -> None:
        """Stop it with all that runs on it."""
        if self._thread is None:
            return
        if self._thread.is_alive() and self._ask_to_stop is not None:
            self.loop.call_soon_threadsafe(self._ask_to_stop)
        self._thread.join(STOP_TIMEOUT)
        self._thread = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = self._data = None
        if self._problem is not None:
            raise self._problem

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, settings: Settings, started: threading.Event) -> None:
        try:
            asyncio.run(self._serve(settings, started))
        except BaseException as problem:  # noqa: BLE001 # raised again in the caller's thread
            self._problem = problem
        finally:
            started.set()

    async def _serve(self, settings: Settings, started: threading.Event) -> None:
        from herodeploy.local import server

        stop = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._ask_to_stop = stop.set
        with folders.hold(settings.data, until_exit=False):
            token = self._token or folders.token_of(settings.data)
            async with server.serving(settings, token) as self.platform:
                self._port = self.platform.settings.port
                started.set()
                await stop.wait()
