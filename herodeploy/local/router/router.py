"""From an app's address to one of its web dynos, with Heroku's headers, error codes and log lines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import h11
from starlette.types import Receive, Scope, Send

from herodeploy.local.dynos.supervisor import NoDyno, Supervisor, Target
from herodeploy.local.logs import Logs
from herodeploy.local.router import https, pages
from herodeploy.local.router.app_ports import AppPorts
from herodeploy.local.router.request import Headers, Request
from herodeploy.local.router.upstream import Cut, Malformed, NoResponse, Upstream
from herodeploy.local.settings import Settings

__all__ = ["AppPorts", "Route", "Router"]

ATTEMPTS = 3
TEMPORARILY = 307

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """What the router must know of an app."""

    app_id: str
    app_name: str
    deployed: bool
    maintenance: bool
    web_quantity: int


class Refusal(Exception):
    """The request ends with an error code; `sock` says whose connection broke, where one did."""

    def __init__(self, code: str, sock: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.sock = sock


class Router:
    """An ASGI app for all apps.

    Parameters:
        lookup: from an app's name to its route; None where there is no such app.
    """

    def __init__(
        self, settings: Settings, supervisor: Supervisor, logs: Logs, lookup: Callable[[str], Route | None]
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._logs = logs
        self._lookup = lookup
        self._by_https: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of the app named by ``scope["herodeploy.app"]``, or by the Host header."""
        if scope["type"] != "http":
            return
        request = Request.of(scope)
        name = scope.get("herodeploy.app") or _app_of(request.host)
        route = self._lookup(name)
        if route is None:
            await pages.answer(pages.no_such_app(name), request, send)
            return
        request.https = route.app_id in self._by_https
        passage = _Passage(self._settings, self._supervisor, self._logs, route, request, receive, send)
        passage.on_https = lambda: self._insisted(route)
        await passage.run()

    def _insisted(self, route: Route) -> None:
        self._by_https.add(route.app_id)
        self._logs.write(route.app_id, "heroku", "router", https.NOTICE)

    async def close(self) -> None:
        """Nothing is kept open between requests."""


class _Passage:
    """One request on its way to a dyno and back; `run` is its story."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        logs: Logs,
        route: Route,
        request: Request,
        receive: Receive,
        send: Send,
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._logs = logs
        self._route = route
        self._request = request
        self._receive = receive
        self._send = send
        self._dyno = ""
        self._connected: int | None = None
        self._status: int | None = None
        self._bytes = 0
        self.on_https: Callable[[], None] = lambda: None

    async def run(self) -> None:
        try:
            upstream = await self._reach()
            try:
                await self._exchange(upstream)
            finally:
                upstream.close()
        except Refusal as refusal:
            self._log(refusal)
            if self._status is None:
                await pages.answer(pages.of_code(refusal.code), self._request, self._send)
        except h11.LocalProtocolError:
            await pages.answer(pages.malformed(), self._request, self._send)
        else:
            self._log(None)

    async def _reach(self) -> Upstream:
        """Connect to a web dyno; one that refuses is passed over, where there are others."""
        if self._route.maintenance:
            raise Refusal("H80")
        if not self._route.deployed:
            raise Refusal("H81")
        if self._route.web_quantity == 0:
            raise Refusal("H14")
        failed: dict[str, str] = {}
        for _ in range(ATTEMPTS):
            try:
                target = await self._supervisor.pick_web(self._route.app_id, failed)
                return await self._connect(target)
            except NoDyno as none:
                raise Refusal(none.code) from None
            except TimeoutError:
                failed[target.name] = "H19"
            except OSError:
                failed[target.name] = "H21"
        raise Refusal(failed[self._dyno])

    async def _connect(self, target: Target) -> Upstream:
        self._dyno = target.name
        before = self._request.milliseconds()
        upstream = await Upstream.connect(target.port, self._settings.connect_timeout)
        self._connected = self._request.milliseconds() - before
        return upstream

    async def _exchange(self, upstream: Upstream) -> None:
        """Pass the body on while the answer comes back, whichever ends first."""
        upstream.begin(self._request)
        upload = asyncio.create_task(self._upload(upstream))
        download = asyncio.create_task(self._download(upstream))
        try:
            await asyncio.wait({upload, download}, return_when=asyncio.FIRST_COMPLETED)
            if not download.done():
                raise Refusal("H18", "client")
            download.result()
        finally:
            await _cancel(upload, download)

    async def _upload(self, upstream: Upstream) -> None:
        """Pass the body on; goes on listening until the client hangs up."""
        taken = True
        while (message := await self._receive())["type"] == "http.request":
            if not taken:
                continue
            more = message.get("more_body", False)
            try:
                await upstream.send(message.get("body", b""), last=not more)
            except (OSError, h11.LocalProtocolError):
                taken = False  # it may have answered early; the answer decides

    async def _download(self, upstream: Upstream) -> None:
        try:
            waited = self._settings.first_byte_timeout
            status, headers = await _patiently(upstream, upstream.response, waited, Refusal("H12"))
        except NoResponse:
            raise Refusal("H13") from None
        except Malformed:
            raise Refusal("H17") from None
        status, headers = self._by_http(status, headers)
        self._status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        try:
            while piece := await _patiently(upstream, upstream.read, self._settings.idle_timeout, Refusal("H15")):
                self._bytes += len(piece)
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except Cut:
            raise Refusal("H18", "backend") from None
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _by_http(self, status: int, headers: Headers) -> tuple[int, Headers]:
        request = self._request
        if request.https:
            return status, https.to_client(headers, request.host)
        if not https.insists(status, headers, request.host, request.target):
            return status, headers
        self.on_https()
        return TEMPORARILY, https.again(headers, request.host, request.target)

    def _log(self, refusal: Refusal | None) -> None:
        request = self._request
        words = ["at=info" if refusal is None or refusal.code == "H80" else "at=error"]
        status: int = self._status or 0
        if refusal is not None:
            words.append(f'code={refusal.code} desc="{pages.DESCRIPTIONS[refusal.code]}"')
            status = self._status or pages.status_of(refusal.code)
        path = request.target.decode("latin-1").replace('"', "%22")
        words.append(f'method={request.method} path="{path}" host={request.host} request_id={request.id}')
        words.append(f'fwd="{request.forwarded_for}" dyno={self._dyno}')
        if refusal is not None and refusal.sock is not None:
            words.append(f"sock={refusal.sock}")
        reached = self._connected is not None
        words.append(f"connect={self._connected}ms" if reached else "connect=")
        words.append(f"service={request.milliseconds() - (self._connected or 0)}ms" if reached else "service=")
        words.append(f"status={status} bytes={self._bytes if self._status else ''} protocol=http")
        self._logs.write(self._route.app_id, "heroku", "router", " ".join(words))


async def _patiently(upstream: Upstream, work: Callable[[], Awaitable[T]], limit: float, refusal: Refusal) -> T:
    """Wait for the dyno, `limit` seconds from the last piece of the request that it took."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limit) as timer:

            def postpone() -> None:
                if not timer.expired():
                    timer.reschedule(loop.time() + limit)

            upstream.on_sent = postpone
            return await work()
    except TimeoutError:
        raise refusal from None
    finally:
        upstream.on_sent = None


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _app_of(host: str) -> str:
    return host.partition(":")[0].lower().removesuffix(".localhost")
