"""What a client sees when no dyno answers: Heroku's codes on a plain page."""

from __future__ import annotations

import html
from dataclasses import dataclass

from starlette.types import Send

from herodeploy.local.router.request import Request

# https://devcenter.heroku.com/articles/error-codes
DESCRIPTIONS = {
    "H10": "App crashed",
    "H12": "Request timeout",
    "H13": "Connection closed without response",
    "H14": "No web processes running",
    "H15": "Idle connection",
    "H17": "Poorly formatted HTTP response",
    "H18": "Request Interrupted",
    "H19": "Backend connection timeout",
    "H20": "App boot timeout",
    "H21": "Backend connection refused",
    "H80": "Maintenance mode",
    "H81": "Blank app",
}
HINTS = {
    "H10": "Its web dynos ended. The app's log says why.",
    "H12": "The app took too long to begin its answer.",
    "H13": "The app closed the connection before it answered.",
    "H14": "Scale the process type <code>web</code> up to serve requests.",
    "H17": "What the app sent is no HTTP response.",
    "H19": "The web dyno did not accept the connection in time.",
    "H20": "No web dyno came up in time.",
    "H21": "The web dyno refused the connection.",
    "H80": "The app is in maintenance mode; please come back later.",
    "H81": "Nothing was deployed to this app yet.",
}
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{text}</p>
<p>{code}</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the router itself."""

    status: int
    body: bytes

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """Return the headers to send it with."""
        return [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self.body)).encode()),
            (b"cache-control", b"no-cache, no-store"),
            (b"x-request-id", request_id.encode()),
        ]


def status_of(code: str) -> int:
    """Return the HTTP status that stands for an error code."""
    return 502 if code == "H81" else 503


def of_code(code: str) -> Page:
    """Return the page of an error code."""
    title = {"H80": "Offline for maintenance", "H81": "There is nothing here, yet"}.get(code, "Application error")
    return _page(status_of(code), title, HINTS.get(code, ""), f"{code} {DESCRIPTIONS[code]}")


def no_such_app(name: str) -> Page:
    """Return the page for a host that no app has."""
    return _page(404, "No such app", f"There is no app named <code>{html.escape(name)}</code> here.", "")


def foreign_host() -> Page:
    """Return the page for a Host header that is not of this machine."""
    return _page(421, "Misdirected request", "This address answers for 127.0.0.1 and localhost only.", "")


def malformed() -> Page:
    """Return the page for a request that cannot be passed on."""
    return _page(400, "Bad request", "The request cannot be passed on to the app.", "")


async def answer(page: Page, request: Request, send: Send) -> None:
    """Send a page."""
    await send({"type": "http.response.start", "status": page.status, "headers": page.headers(request.id)})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else page.body})


def _page(status: int, title: str, text: str, code: str) -> Page:
    return Page(status, PAGE.format(title=title, text=text, code=code).encode())
