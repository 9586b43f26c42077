"""Apps that insist on HTTPS, which this router does not speak.

On Heroku the router speaks HTTPS and tells so by ``X-Forwarded-Proto``; an app with an HTTPS redirect would send its
clients away from here forever. Once an app does, its requests say that they came by HTTPS, and URLs are translated.
"""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

NAMING_THE_APP = {b"origin", b"referer"}
REDIRECTS = {301, 302, 307, 308}
NOTICE = "The app redirects to https, which is not spoken here. From now on its requests say that they came by https."


def insists(status: int, headers: Headers, host: str, target: bytes) -> bool:
    """Tell whether an answer sends the client to the very same URL by HTTPS."""
    location = next((value for name, value in headers if name.lower() == b"location"), b"").decode("latin-1")
    if status not in REDIRECTS or not location.lower().startswith("https://"):
        return False
    named, _, rest = location[len("https://") :].partition("/")
    return _same(named, host) and f"/{rest}" == target.decode("latin-1")


def again(headers: Headers, host: str, target: bytes) -> Headers:
    """Return the headers of a redirect to the same URL, by HTTP, that nobody remembers."""
    kept = [(name, value) for name, value in headers if name.lower() not in {b"location", b"cache-control"}]
    return [*kept, (b"location", b"http://" + host.encode("latin-1") + target), (b"cache-control", b"no-store")]


def to_app(headers: Headers, host: str) -> Headers:
    """Return a request's headers, with the app's own URLs in them by HTTPS."""
    return _translated(headers, NAMING_THE_APP, host, "http", "https")


def to_client(headers: Headers, host: str) -> Headers:
    """Return an answer's headers, with the app's own URL in ``Location`` by HTTP."""
    return _translated(headers, {b"location"}, host, "https", "http")


def _translated(headers: Iterable[tuple[bytes, bytes]], names: set[bytes], host: str, old: str, new: str) -> Headers:
    def value_of(name: bytes, value: bytes) -> bytes:
        text = value.decode("latin-1")
        beginning = f"{old}://{host}".lower()
        mine = name.lower() in names and f"{text}/".lower().startswith(f"{beginning}/")
        return f"{new}{text[len(old) :]}".encode("latin-1") if mine else value

    return [(name, value_of(name, value)) for name, value in headers]


def _same(named: str, host: str) -> bool:
    """Tell whether both are one host; the port is often left out of a URL that is by HTTPS."""
    return named.lower() in {host.lower(), host.lower().rpartition(":")[0]}
