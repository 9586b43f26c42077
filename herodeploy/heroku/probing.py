"""Ask an app itself, at its own web address, whether it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from herodeploy.heroku.credentials import is_local

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

LOCAL = ".localhost"


class Addressed(Protocol):
    """What has a web address: an app, or something that is known of one."""

    @property
    def web_url(self) -> str | None:
        """The address; None where it has none."""


def probe(session: Session, app: Addressed, path: str, timeout: float) -> int | None:
    """Return the HTTP status at `path`, redirects not followed; None where no answer comes in `timeout` seconds."""
    if not app.web_url:
        return None
    url, host = address(app.web_url, path)
    return session.status_of(url, host=host, timeout=timeout)


def moved(web_url: str | None, platform: str) -> str | None:
    """Return a web address below the port that the platform at `platform` has; only that of a local one changes."""
    parts, port = urlsplit(web_url or ""), urlsplit(platform).port
    if not (parts.hostname or "").endswith(LOCAL) or not is_local(platform) or port is None:
        return web_url
    return parts._replace(netloc=f"{parts.hostname}:{port}").geturl()


def address(web_url: str, path: str) -> tuple[str, str | None]:
    """Return what `reachable` does for a path below a web address."""
    parts = urlsplit(web_url)
    return reachable(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{path.lstrip('/')}")


def reachable(url: str) -> tuple[str, str | None]:
    """Return the address to connect to and the Host header to send, where it differs.

    ``*.localhost`` is this machine by definition, but few resolvers know it.
    """
    parts = urlsplit(url)
    if not (parts.hostname or "").endswith(LOCAL):
        return url, None
    here = "127.0.0.1" if parts.port is None else f"127.0.0.1:{parts.port}"
    return parts._replace(netloc=here).geturl(), parts.netloc
