"""A loopback port of its own for every app: the address that any client can open without a resolver."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from herodeploy.local import ports
from herodeploy.local.router import pages
from herodeploy.local.router.request import Request
from herodeploy.local.router.upstream import LARGEST_HEAD

FAREWELL = 1.0  # seconds that open requests get when a port closes


@dataclass(frozen=True, slots=True)
class _Opened:
    server: asyncio.Server
    state: ServerState
    port: int


class AppPorts:
    """The listeners of one platform.

    Parameters:
        router: the ASGI app behind all of them; it gets the app's name as ``scope["herodeploy.app"]``.
    """

    def __init__(self, router: ASGIApp) -> None:
        self._router = router
        self._opened: dict[str, _Opened] = {}

    async def open(self, app_name: str, port: int = 0) -> int:
        """Serve an app on a port of 127.0.0.1 and return it; the port that it has already stays.

        Parameters:
            port: the one it had last; 0 takes a free one.

        Raises:
            OSError: the port is in use.
        """
        if app_name in self._opened:
            return self._opened[app_name].port
        sock = ports.listen(port)
        config = uvicorn.Config(
            _Door(self._router, app_name), log_config=None, access_log=False, lifespan="off", ws="none",
            server_header=False, date_header=False, proxy_headers=False,
            timeout_keep_alive=75, h11_max_incomplete_event_size=LARGEST_HEAD,
        )  # fmt: skip
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: H11Protocol(config=config, server_state=state, app_state={}), sock=sock
        )
        self._opened[app_name] = _Opened(server, state, sock.getsockname()[1])
        return self._opened[app_name].port

    async def close(self, app_name: str) -> None:
        """Stop listening for an app; open requests get a second to end."""
        opened = self._opened.pop(app_name, None)
        if opened is None:
            return
        opened.server.close()
        for connection in list(opened.state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                while opened.state.connections:
                    await asyncio.sleep(0.01)
        for connection in list(opened.state.connections):
            connection.transport.abort()
        if opened.state.tasks:
            await asyncio.wait(set(opened.state.tasks), timeout=FAREWELL)

    async def close_all(self) -> None:
        """Stop listening for every app."""
        await asyncio.gather(*(self.close(name) for name in list(self._opened)))


class _Door:
    """Says which app a request is for; refuses names that a foreign page could have bound to this machine."""

    def __init__(self, router: ASGIApp, app_name: str) -> None:
        self._router = router
        self._app_name = app_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request.of(scope)
        if _is_local(request.host):
            await self._router({**scope, "herodeploy.app": self._app_name}, receive, send)
        else:
            await pages.answer(pages.foreign_host(), request, send)


def _is_local(host: str) -> bool:
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    return name in {"127.0.0.1", "localhost", "[::1]"} or name.endswith(".localhost")
