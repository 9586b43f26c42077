"""The HTTP face of a local platform: which host means what, who may call, and how errors leave."""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from herodeploy.local import disk, folders, ports
from herodeploy.local.api import families, github, kolkrabbi
from herodeploy.local.git.http import GitHttp, means_git
from herodeploy.local.lifecycle import authorizations, domains
from herodeploy.local.platform import Platform
from herodeploy.local.rehearsal.gate import Gate
from herodeploy.local.settings import Settings
from herodeploy.local.tls import doors
from herodeploy.local.tls.certificates import GITHUB, KOLKRABBI
from herodeploy.local.wire import accept, auth, limits, reply
from herodeploy.local.wire.errors import (
    ApiError,
    forbidden,
    no_room,
    not_acceptable,
    rate_limited,
    stopping,
    unauthorized,
)

log = logging.getLogger(__name__)

METHODS = ("PUT", "PATCH", "DELETE")
FAREWELL = 1
"""Seconds that open connections get when the platform stops."""


@asynccontextmanager
async def serving(settings: Settings, token: str) -> AsyncIterator[Platform]:
    """Run a platform on its port; inside the context it answers, after it everything has stopped.

    Parameters:
        settings: port 0 takes a free one; ``platform.settings.port`` tells which.

    Raises:
        OSError: the port is in use.
    """
    with ports.listen(settings.port) as sock:
        control_token = folders.secret_of(settings.data, folders.CONTROL_TOKEN)
        platform = Platform(replace(settings, port=sock.getsockname()[1]), token, control_token)
        try:
            await platform.start()
            server = _Server(_config(make_app(platform), doors.beside(H11Protocol, platform.doors)))
            serve = asyncio.create_task(server.serve(sockets=[sock]))
            try:
                yield platform
            finally:
                await platform.wind_down()
                server.should_exit = True
                await serve
        finally:
            await platform.close()


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: whoever runs the platform decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp, protocol: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        # An app's own headers pass untouched; the router says itself who the client is, the API its date.
        server_header=False,
        date_header=False,
        proxy_headers=False,
        http=protocol,
        # Longer than clients keep an idle connection, so that none sends a POST into one that just closes.
        timeout_keep_alive=120,
        timeout_graceful_shutdown=FAREWELL,
        # The Heroku CLI sends back every Request-Id it has seen, in one header.
        h11_max_incomplete_event_size=128 * 1024,
    )


def make_app(platform: Platform) -> ASGIApp:
    """Return the ASGI app of a platform: the API on loopback names, the router on ``<app>.localhost``."""
    return Front(platform, make_api(platform))


def make_api(platform: Platform) -> Starlette:
    """Return the Platform API alone."""
    return _starlette(families.routes(platform))


def _starlette(routes: list[Route], unknown: Any = None) -> Starlette:
    return Starlette(
        routes=routes,
        exception_handlers={
            ApiError: _refused,
            HTTPException: unknown or _unknown,
            OSError: _disk,
            sqlite3.Error: _disk,
            500: _broken,
        },
    )


class Front:
    """Decides by the Host header: an app, or the API."""

    def __init__(self, platform: Platform, api: ASGIApp) -> None:
        self._platform = platform
        self._api = Gate(platform, Door(platform, api))
        self._git = Gate(
            platform, GitHttp(platform, lambda header: authorizations.accepts(platform, auth.token(header)))
        )
        self._kolkrabbi = Gate(platform, Door(platform, _starlette(kolkrabbi.routes(platform))))
        self._github = Gate(platform, _starlette(github.routes(platform), github.unknown))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        host = request.headers.get("host", "")
        app = self._app_of(host)
        if auth.hostname(host) == KOLKRABBI:
            await self._kolkrabbi(scope, receive, send)
        elif auth.hostname(host) == GITHUB:
            await self._github(scope, receive, send)
        elif app is not None:
            await self._platform.router({**scope, "herodeploy.app": app}, receive, send)
        elif not auth.is_api(host):
            problem = forbidden("This platform answers for 127.0.0.1, localhost and <app>.localhost only.")
            await reply.error(problem)(scope, receive, send)
        elif means_git(scope["path"]):
            await self._git(scope, receive, send)
        else:
            await self._api(_with_method(scope, request), receive, send)

    def _app_of(self, host: str) -> str | None:
        """Return the app that a Host header means: by ``<app>.localhost``, or by a custom domain."""
        if auth.is_api(host):
            return None
        found = domains.app_of(self._platform, auth.hostname(host))
        return found.name if found else auth.app_of(host)


class Door:
    """Lets those in who may call, as long as they have calls left."""

    def __init__(self, platform: Platform, api: ASGIApp) -> None:
        self._platform = platform
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of the API."""
        problem = self._refusal(scope)
        await (self._api if problem is None else reply.error(problem))(scope, receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        path = scope["path"]
        if auth.is_open(path):
            return None
        headers = Request(scope).headers
        if not self._is_known(path, auth.token(headers.get("authorization", ""))):
            return unauthorized()
        if self._platform.stopping:
            return stopping()
        if not accept.is_acceptable(headers.get("accept", "")):
            return not_acceptable()
        if path != limits.FREE and not auth.is_own(path) and not self._platform.limiter.take():
            return rate_limited()
        return None

    def _is_known(self, path: str, token: str) -> bool:
        if auth.is_control(path):
            return secrets.compare_digest(token.encode(), self._platform.control_token.encode())
        return authorizations.accepts(self._platform, token)


def _with_method(scope: Scope, request: Request) -> Scope:
    """Follow X-Http-Method-Override, for clients behind proxies that let only GET and POST through."""
    wanted = request.headers.get("x-http-method-override", "").upper()
    return {**scope, "method": wanted} if scope["method"] == "POST" and wanted in METHODS else scope


async def _refused(_: Request, problem: Exception) -> Response:
    assert isinstance(problem, ApiError)  # noqa: S101 # for the type checker
    return reply.error(problem)


async def _unknown(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 404
    if status == 405:
        return reply.error(ApiError(405, "method_not_allowed", f"{request.url.path} does not take {request.method}."))
    return reply.error(ApiError(404, "not_found", "The requested API endpoint was not found."))


async def _disk(request: Request, problem: Exception) -> Response:
    return reply.error(no_room()) if disk.is_full(problem) else await _broken(request, problem)


async def _broken(request: Request, problem: Exception) -> Response:
    log.error("%s %s broke", request.method, request.url.path, exc_info=problem)
    return reply.error(ApiError(500, "internal_server_error", "The local platform has a bug here; its log says more."))
