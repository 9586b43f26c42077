"""Ask any web address, with limits to its answer: not the platform's API, and never with its token."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import requests

from herodeploy.errors import PlatformError, PlatformUnreachable, UsageError
from herodeploy.heroku.failures import origin, translated, where
from herodeploy.heroku.probing import reachable
from herodeploy.heroku.transport import AsGiven, open_http

CHUNK = 16 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What an address answered; redirects are answers like any other.

    Parameters:
        headers: with names in small letters.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    method: str,
    url: str,
    *,
    shown: str,
    headers: Mapping[str, str],
    body: bytes | None,
    within: float,
    most: int,
) -> Reply:
    """Send one request, without retries, and return the answer.

    Parameters:
        shown: the address as errors name it, without anything secret.
        within: seconds for all of it.
        most: bytes of the answer's body.

    Raises:
        PlatformUnreachable: no whole answer came in time.
        PlatformError: the answer is too long.
        UsageError: the address is none, or a header cannot be sent.
    """
    ends = time.monotonic() + within
    try:
        with translated(method, shown), closing(open_http(url, AsGiven(), "*/*")) as http:
            with _sent(http, method, url, shown, headers, body, within) as response:
                content = _read(response, ends, most, f"{method} {where(shown)} at {origin(shown)}")
            known = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, known, content)
    except PlatformUnreachable as error:
        # Its way out would be the platform's.
        raise PlatformUnreachable(error.message) from None


def _sent(
    http: requests.Session,
    method: str,
    url: str,
    shown: str,
    headers: Mapping[str, str],
    body: bytes | None,
    within: float,
) -> requests.Response:
    to, host = reachable(url)
    every = {"Accept-Encoding": "identity", "Connection": "close", **({"Host": host} if host else {}), **headers}
    try:
        return http.request(
            method,
            to,
            # As bytes: what is not Latin-1 would be quoted by the error of http.client.
            headers={name: value.encode() for name, value in every.items()},
            data=body,
            stream=True,
            timeout=(within, within),
            allow_redirects=False,
        )
    except requests.exceptions.RequestException:
        raise
    except ValueError:
        raise UsageError(f"{shown} is no address that can be asked") from None


def _read(response: requests.Response, ends: float, most: int, what: str) -> bytes:
    found = b""
    while True:
        # What there is by now: a server that sends a byte a second must not hold us for the sum of them.
        chunk = response.raw.read1(CHUNK)
        found += chunk
        if len(found) > most:
            raise PlatformError(f"{what} was answered with more than {most // 1024} KiB")
        if not chunk:
            return found
        if time.monotonic() > ends:
            raise PlatformUnreachable(f"{what} was not answered in time")
