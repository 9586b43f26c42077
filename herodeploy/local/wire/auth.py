"""Who may call: the token, and the addresses this platform answers for."""

from __future__ import annotations

import base64

OPEN_PATHS = ("/streams/", "/blobs/", "/log-streams/", "/buildpacks", "/_local/status")
"""Without a token: their addresses cannot be guessed (as Heroku's presigned ones), or tell nothing."""

OWN = "/_local/"
"""Paths of this platform alone, which Heroku does not have."""

CONTROL = "/_local/control/"
"""What commands the platform itself; it wants a token of its own."""

PUSHES = "/_local/pushes/"
"""Called by the hooks of git; a secret that is good once stands in the address."""

LOOPBACK = ("127.0.0.1", "localhost")


def is_open(path: str) -> bool:
    """Tell whether this path needs no token."""
    return path.startswith((*OPEN_PATHS, PUSHES))


def is_own(path: str) -> bool:
    """Tell whether this path is none of Heroku's API."""
    return path.startswith(OWN)


def is_control(path: str) -> bool:
    """Tell whether this path commands the platform."""
    return path.startswith(CONTROL)


def token(header: str) -> str:
    """Return the token that an Authorization header carries: Bearer, or Basic with any user; empty for neither."""
    kind, _, value = header.strip().partition(" ")
    return _of_kind(kind.lower(), value.strip())


def _of_kind(kind: str, value: str) -> str:
    if kind == "bearer":
        return value
    if kind == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # no base64, no ASCII, or no UTF-8 in it
            return ""
    return ""


def hostname(host: str) -> str:
    """Return the name of a Host header: lower case, without the port."""
    return host.strip().lower().rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host.strip().lower()


def app_of(host: str) -> str | None:
    """Return the app of ``<app>.localhost``; None for other hosts."""
    name = hostname(host)
    return name.removesuffix(".localhost") if name.endswith(".localhost") else None


def is_api(host: str) -> bool:
    """Tell whether a Host header means the API itself."""
    return hostname(host) in LOOPBACK
