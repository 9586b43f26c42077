"""``http://127.0.0.1:<port>/<app>.git``: git's smart HTTP protocol, for whoever knows the token."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from herodeploy.local import records
from herodeploy.local.git import backend, repositories
from herodeploy.local.wire import reply

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

log = logging.getLogger(__name__)

SERVICES = ("git-upload-pack", "git-receive-pack")

_PATH = re.compile(r"/([a-z0-9-]+)\.git/(info/refs|git-upload-pack|git-receive-pack)")


def means_git(path: str) -> bool:
    """Tell whether a request's path is one of git's protocol."""
    return _PATH.fullmatch(path) is not None


class GitHttp:
    """The ASGI app that hands requests to git's own backend.

    A push goes on when its client goes away, as on Heroku: what was built would else be released and not be there.

    Parameters:
        knows: tells whether an Authorization header opens this platform.
    """

    def __init__(self, platform: Platform, knows: Callable[[str], bool]) -> None:
        self._platform = platform
        self._knows = knows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request whose path `means_git`."""
        request = Request(scope, receive)
        match = _PATH.fullmatch(scope["path"])
        name, call = match.groups() if match else ("", "")
        service = request.query_params.get("service", "") if call == "info/refs" else call
        app = self._platform.app_named(name)
        if not self._knows(request.headers.get("authorization", "")):
            headers = {"WWW-Authenticate": 'Basic realm="herodeploy local platform"'}
            refused = PlainTextResponse("The password is the platform's token.\n", 401, headers)
        elif self._platform.stopping:
            refused = PlainTextResponse("The local platform is being stopped.\n", 503)
        elif app is None:
            refused = PlainTextResponse(f"!\tNo such app as {name}.\n", 404)
        elif service not in SERVICES or scope["method"] != ("GET" if call == "info/refs" else "POST"):
            refused = PlainTextResponse("Only git's smart HTTP protocol is spoken here.\n", 403)
        else:
            broken = await self._serve(app, call, service, request, send)
            if broken is None:
                return
            log.error("%s %s broke: %s", scope["method"], scope["path"], broken)
            refused = PlainTextResponse(f"{broken}\n", 500)
        refused.headers.update(reply.standard_headers())
        await refused(scope, receive, send)

    async def _serve(self, app: records.App, call: str, service: str, request: Request, send: Send) -> Exception | None:
        """Let git answer; return what kept it from that."""
        variables = _cgi(app, call, service, request)
        secret = self._platform.pushes.begin(app.id) if call == "git-receive-pack" else ""
        if secret:
            variables["PUSH_TO"] = f"{self._platform.base_url}/_local/pushes/{secret}"
        try:
            async with AsyncExitStack() as stack:
                try:
                    await self._platform.repositories.ensure(app.id)
                    talk = await stack.enter_async_context(backend.talk(self._platform.repositories.folder, variables))
                    stack.push_async_callback(_ended, asyncio.create_task(_feed(request, talk)))
                    status, headers = await talk.head()
                except (OSError, repositories.GitFailed) as problem:
                    return problem
                await _answer(talk, status, headers, send, stay=bool(secret))
        finally:
            self._platform.pushes.take(secret)
        if secret:
            self._platform.repositories.point_head(app.id)
        return None


def _cgi(app: records.App, call: str, service: str, request: Request) -> dict[str, str]:
    headers = request.headers
    variables = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": f"/{app.id}.git/{call}",
        "QUERY_STRING": urlencode({"service": service}) if call == "info/refs" else "",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "heroku",
        "REMOTE_ADDR": "127.0.0.1",
    }
    if headers.get("content-length", "").isdecimal():
        variables["CONTENT_LENGTH"] = headers["content-length"]
    return variables


async def _feed(request: Request, talk: backend.Talk) -> None:
    """Give git the request's body; one that is cut off ends early, and git refuses it."""
    with suppress(ClientDisconnect, ConnectionError):
        async for chunk in request.stream():
            talk.writer.write(chunk)
            await talk.writer.drain()
    with suppress(OSError):
        talk.writer.write_eof()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _answer(
    talk: backend.Talk, status: int, headers: list[tuple[bytes, bytes]], send: Send, *, stay: bool
) -> None:
    """Pass the answer on; `stay` to the end even where nobody reads it any more."""
    extra = [(name.lower().encode(), value.encode()) for name, value in reply.standard_headers().items()]
    start: Message = {"type": "http.response.start", "status": status, "headers": [*headers, *extra]}
    there = await _sent(send, start)
    async for chunk in talk.body():
        if there:
            there = await _sent(send, {"type": "http.response.body", "body": chunk, "more_body": True})
        if not there and not stay:
            return
    if there:
        await _sent(send, {"type": "http.response.body", "body": b""})


async def _sent(send: Send, message: Message) -> bool:
    try:
        await send(message)
    except OSError:  # the client has gone
        return False
    return True
