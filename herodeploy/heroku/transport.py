"""What is below the session: who a request comes from, and which connection it takes."""

from __future__ import annotations

import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from herodeploy import __version__
from herodeploy.domain.secret import Secret
from herodeploy.heroku.credentials import is_local

_REDIRECTS = 10
_CONNECTIONS = 32
"""Kept to one host: as many threads may ask at the same time, and none has to connect anew."""


def open_http(base_url: str, auth: AuthBase, accepted: str) -> requests.Session:
    """Return a requests session for what belongs to the platform at `base_url`."""
    http = requests.Session()
    http.auth = auth
    http.max_redirects = _REDIRECTS
    http.headers.update({"Accept": accepted, "User-Agent": f"herodeploy/{__version__}"})
    for scheme in ("http://", "https://"):
        http.mount(scheme, Adapter(pool_maxsize=_CONNECTIONS))
    if is_local(base_url):
        # No proxy leads to this machine, whatever the environment says.
        http.trust_env = False
        http.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
    return http


class Bearer(AuthBase):
    """Sends the token."""

    # An auth object, as requests would overwrite a plain header with what ~/.netrc says.
    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class NoAuth(AuthBase):
    """Sends no token."""

    # Without it requests would look into ~/.netrc for the address.
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Take the header off."""
        request.headers.pop("Authorization", None)
        return request


class AsGiven(AuthBase):
    """Leaves the request as it is."""

    # Without it requests would look into ~/.netrc for the address.
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return it."""
        return request


class Adapter(HTTPAdapter):
    """Keeps connections for reads and makes a new one for each write, and for each request that asks for it.

    A kept connection may turn out to be dead just when it is used; nobody could tell then whether a write was done.
    """

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """Send a request over a connection that suits it."""
        if request.method in ("POST", "PATCH"):
            request.headers["Connection"] = "close"
        if request.headers.get("Connection") != "close":
            return super().send(request, **options)
        # Not a second adapter that is kept: not every server says that it closes, and then the connection would be.
        once = HTTPAdapter()
        try:
            response = once.send(request, **options)
            if not options.get("stream"):
                _ = response.content
            return response
        finally:
            once.close()
