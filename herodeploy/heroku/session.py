"""The one HTTP session that everything here uses, heroku3 included."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from herodeploy.domain.secret import Secret
from herodeploy.errors import PlatformError
from herodeploy.heroku import redact
from herodeploy.heroku.credentials import checked
from herodeploy.heroku.failures import no_connection, refusal, translated, where
from herodeploy.heroku.retry import with_retries
from herodeploy.heroku.second_factor import SecondFactor
from herodeploy.heroku.transport import Bearer, NoAuth, open_http

if TYPE_CHECKING:
    from herodeploy.heroku.library import Library

JSON = Any
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
PAGE = 1000
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class Session:
    """Requests to one Platform API with one token.

    Parameters:
        base_url: such as ``https://api.heroku.com``.
        sleep: waits between attempts, in seconds; tests give their own.
        timeout: seconds to connect and seconds without a byte.
        way_in: what a person can do when the platform refuses the token.
        ask_code: returns the second factor that a person types, and is told whether the last one was not taken; without
            it such a request is refused.
    """

    def __init__(
        self,
        base_url: str,
        token: Secret,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        way_in: str | None = None,
        ask_code: Callable[[bool], str] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.sleep = sleep
        self.timeout = timeout
        self._way_in = way_in
        token = checked(token.reveal(), "the request for this platform")
        self.http = open_http(self.base_url, Bearer(token), accept())
        self._elsewhere = open_http(self.base_url, NoAuth(), "*/*")
        self._redaction = redact.install(token)
        self._second_factor = SecondFactor(ask_code, self._authorize) if ask_code else None

    def __repr__(self) -> str:
        return f"Session({self.base_url!r})"

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
        self._elsewhere.close()
        redact.remove(self._redaction)

    @cached_property
    def library(self) -> Library:
        """heroku3 on this session; loaded at first use."""
        from herodeploy.heroku.library import Library

        return Library(self)

    def get(self, path: str, *, variant: str | None = None) -> JSON:
        """Return what the API has at `path`."""
        return self.json("GET", path, variant=variant)

    def find(self, path: str, *, variant: str | None = None) -> JSON | None:
        """Return what the API has at `path`; None where it answers 404."""
        response = self.send("GET", path, variant=variant, tolerate=(404,))
        return None if response.status_code == 404 else _decoded(response, "GET", path)

    def post(
        self, path: str, body: Mapping[str, object], *, variant: str | None = None, repeatable: bool = False
    ) -> JSON:
        """Create something; `repeatable` where a second one would do no harm."""
        return self.json("POST", path, body=body, variant=variant, repeatable=repeatable)

    def patch(self, path: str, body: Mapping[str, object], *, variant: str | None = None) -> JSON:
        """Change something."""
        return self.json("PATCH", path, body=body, variant=variant)

    def delete(self, path: str, *, variant: str | None = None) -> bool:
        """Delete something; False where it was gone already, perhaps by an attempt whose answer was lost."""
        return self.send("DELETE", path, variant=variant, tolerate=(404,)).status_code != 404

    def list(
        self,
        path: str,
        key: str = "id",
        *,
        limit: int | None = None,
        descending: bool = False,
        variant: str | None = None,
    ) -> list[JSON]:
        """Return a list, following Heroku's ranges.

        Parameters:
            key: what it is sorted by.
            limit: return no more than these; all of them without it.
        """
        wanted: str | None = f"{key} ..; max={min(limit or PAGE, PAGE)}" + (", order=desc" if descending else "")
        items: list[JSON] = []
        asked: set[str] = set()
        while wanted is not None and wanted not in asked:
            asked.add(wanted)
            response = self.send("GET", path, headers={"Range": wanted}, variant=variant)
            page = _decoded(response, "GET", path)
            if not isinstance(page, list):
                raise PlatformError(f"GET {path} was answered with something that is not a list")
            items += page
            more = response.status_code == 206 and page and (limit is None or len(items) < limit)
            wanted = response.headers.get("Next-Range") if more else None
        return items if limit is None else items[:limit]

    def json(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        variant: str | None = None,
        repeatable: bool | None = None,
    ) -> JSON:
        """Send a request and return its reply's JSON."""
        response = self.send(method, path, body=body, headers=headers, variant=variant, repeatable=repeatable)
        return _decoded(response, method, path)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        data: str | None = None,
        headers: Mapping[str, str] | None = None,
        variant: str | None = None,
        repeatable: bool | None = None,
        tolerate: Iterable[int] = (),
    ) -> requests.Response:
        """Send a request to the API; retries, errors and timeouts are dealt with.

        Parameters:
            body: sent as JSON; `data` is JSON already.
            variant: of the API, such as ``pipelines``, as the Heroku CLI asks for it.
            tolerate: statuses that are an answer, not an error.
        """
        sent = {"Accept": accept(variant), "Content-Type": "application/json", **(headers or {})}

        def attempt(more: Mapping[str, str]) -> requests.Response:
            return self._answered(
                partial(request, {**sent, **more}), method, self.base_url + path, repeatable, tolerate
            )

        def request(with_headers: Mapping[str, str]) -> requests.Response:
            return self.http.request(
                method,
                self.base_url + path,
                json=body,
                data=data,
                headers=with_headers,
                timeout=self.timeout,
                allow_redirects=method == "GET",
            )

        return self._second_factor.send(attempt) if self._second_factor else attempt({})

    def upload(self, url: str, file: Path) -> None:
        """PUT a file to an address that carries its own permission; the token is not sent."""

        def attempt() -> requests.Response:
            with file.open("rb") as content:
                return self._elsewhere.request("PUT", url, data=content, timeout=self.timeout, allow_redirects=False)

        self._answered(attempt, "PUT", url, True, ())

    def stream(self, url: str, *, offset: int = 0, tolerate: Iterable[int] = ()) -> requests.Response:
        """Open an address that carries its own permission, from byte `offset` on; the caller closes the response."""
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"

        def attempt() -> requests.Response:
            return self._elsewhere.get(url, headers=headers, stream=True, timeout=self.timeout)

        return self._answered(attempt, "GET", url, True, tolerate)

    def status_of(self, url: str, *, host: str | None, timeout: float) -> int | None:
        """Return the HTTP status at any address, without retries; None where no answer comes.

        Raises:
            PlatformUnreachable: no connection was made, which tells nothing about who was to answer.
        """
        # On a connection of its own: a kept one that turned out dead would look like an app that is down.
        headers = {"Accept": "*/*", "Connection": "close", **({"Host": host} if host else {})}
        try:
            with self._elsewhere.get(
                url, headers=headers, stream=True, timeout=(timeout, timeout), allow_redirects=False
            ) as response:
                return response.status_code
        except (requests.exceptions.RequestException, ValueError) as error:
            if no_connection(error):
                with translated("GET", url):
                    raise
            return None

    def _authorize(self, app: str, headers: Mapping[str, str]) -> None:
        path = f"/apps/{part(app)}/pre-authorizations"

        def attempt() -> requests.Response:
            return self.http.put(self.base_url + path, headers={"Accept": accept(), **headers}, timeout=self.timeout)

        self._answered(attempt, "PUT", self.base_url + path, True, ())

    def _answered(
        self,
        attempt: Callable[[], requests.Response],
        method: str,
        url: str,
        repeatable: bool | None,
        tolerate: Iterable[int],
    ) -> requests.Response:
        with translated(method, url):
            response = with_retries(
                attempt, repeatable=method in _REPEATABLE if repeatable is None else repeatable, sleep=self.sleep
            )
            if 200 <= response.status_code < 300 or response.status_code in tolerate:
                return response
            with response:
                raise refusal(response, method, url, self._way_in)


def accept(variant: str | None = None) -> str:
    """Return the media type that asks for version 3 of the API."""
    return f"application/vnd.heroku+json; version=3{f'.{variant}' if variant else ''}"


def part(value: str) -> str:
    """Return a name or id as one segment of a path."""
    return quote(value, safe="")


def _decoded(response: requests.Response, method: str, url: str) -> JSON:
    try:
        return response.json()
    except (ValueError, requests.exceptions.RequestException):
        kind = response.headers.get("Content-Type", "nothing named").partition(";")[0]
        raise PlatformError(
            f"{method} {where(url)} was answered with {kind} where JSON was due (HTTP {response.status_code})",
            hint="is a proxy or another program answering in the platform's place?",
        ) from None
