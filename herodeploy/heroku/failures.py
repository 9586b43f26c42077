"""Every foreign error and every refusing reply, as one of herodeploy's own errors."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3.exceptions

from herodeploy.errors import (
    ApiError,
    Conflict,
    Forbidden,
    HerodeployError,
    InvalidRequest,
    NotFound,
    PlatformError,
    PlatformUnreachable,
    RateLimited,
    ServerFault,
    TwoFactorRequired,
    Unauthorized,
    UsageError,
)

# The first class that fits decides, so the narrow ones stand first.
_REASONS: tuple[tuple[type[Exception], type[HerodeployError], str], ...] = (
    (
        requests.exceptions.InvalidHeader,
        UsageError,
        "a header, and so perhaps the token, has characters that none may have",
    ),
    (requests.exceptions.InvalidProxyURL, UsageError, "the proxy named in the environment is not a web address"),
    (requests.exceptions.InvalidURL, UsageError, "not a web address"),
    (requests.exceptions.MissingSchema, UsageError, "not a web address"),
    (requests.exceptions.InvalidSchema, UsageError, "not a web address"),
    (requests.exceptions.URLRequired, UsageError, "not a web address"),
    (requests.exceptions.JSONDecodeError, PlatformError, "the reply is not JSON"),
    (requests.exceptions.ConnectTimeout, PlatformUnreachable, "no connection in time"),
    (requests.exceptions.Timeout, PlatformUnreachable, "no answer in time"),
    (requests.exceptions.SSLError, PlatformUnreachable, "no trusted encryption"),
    (requests.exceptions.ProxyError, PlatformUnreachable, "the proxy named in the environment did not connect"),
    (requests.exceptions.ConnectionError, PlatformUnreachable, "the connection was cut"),
    (requests.exceptions.ChunkedEncodingError, PlatformUnreachable, "the reply was cut"),
    (requests.exceptions.ContentDecodingError, PlatformError, "the reply is garbled"),
    (requests.exceptions.TooManyRedirects, PlatformError, "redirected in circles"),
    (requests.exceptions.RequestException, PlatformError, "the request could not be made"),
    (urllib3.exceptions.ProxySchemeUnsupported, UsageError, "the proxy named in the environment cannot be used"),
    (urllib3.exceptions.LocationValueError, UsageError, "not a web address"),
    (urllib3.exceptions.HTTPError, PlatformUnreachable, "the connection was cut"),
    (http.client.HTTPException, PlatformUnreachable, "the reply is not HTTP"),
    (tenacity.RetryError, PlatformUnreachable, "no answer after several attempts"),
)

_STATUSES: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: InvalidRequest,
    429: RateLimited,
}

_HINTS: dict[int, str] = {
    402: "settle the account at https://dashboard.heroku.com/account/billing",
    429: "wait a few minutes; Heroku refills about 75 calls a minute",
}


@contextmanager
def translated(method: str, url: str) -> Iterator[None]:
    """Turn foreign errors into herodeploy's, told about this request.

    Foreign texts are not repeated: they quote whole addresses, signatures and header values.
    """
    try:
        yield
    except HerodeployError:
        raise
    except Exception as error:
        ours = translate(error, method, url)
        if ours is None:
            raise
        raise ours from None


def translate(error: Exception, method: str, url: str) -> HerodeployError | None:
    """Return the error as one of ours; None for one that no library of this package raises."""
    for foreign, ours, reason in _REASONS:
        if isinstance(error, foreign):
            return ours(_sentence(ours, _detail(error) or reason, method, url), hint=_way_out(ours, error, method, url))
    return None


def never_sent(error: BaseException) -> bool:
    """Whether the request surely did not reach the platform: no connection was made."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if isinstance(error, requests.exceptions.ConnectionError) and error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def no_connection(error: BaseException) -> bool:
    """Whether not even a connection was made: the network's fault or this machine's, as routers always take one."""
    ours = (requests.exceptions.SSLError, requests.exceptions.ProxyError)
    return isinstance(error, ours) or never_sent(error)


def refusal(response: requests.Response, method: str, url: str, way_in: str | None = None) -> ApiError:
    """Return the error for a reply that is not 2xx, with Heroku's own message, id and Request-Id.

    Parameters:
        way_in: the hint where the token is refused.
    """
    body = _json_object(response)
    status = response.status_code
    error_id = _text(body.get("id"))
    kind = _STATUSES.get(status, ServerFault if status >= 500 else ApiError)
    if status == 403 and error_id == "two_factor":
        kind = TwoFactorRequired
    hint = way_in if kind is Unauthorized else _HINTS.get(status)
    if kind is TwoFactorRequired:
        hint = "run it on a terminal, which asks for the code, or use a token of an account that needs none"
    error = kind(
        _text(body.get("message")) or _text(body.get("error")) or "the platform gave no reason",
        status=status,
        error_id=error_id,
        request_id=response.headers.get("Request-Id"),
        request=f"{method} {where(url)}",
        hint=hint or (f"see {body['url']}" if _text(body.get("url")) else None),
    )
    if isinstance(error, TwoFactorRequired) and isinstance(body.get("app"), dict):
        error.app = _text(body["app"].get("name"))
    return error


def where(url: str) -> str:
    """Return the part of an address that may be shown: of the API its path, else host and path."""
    parts = urlsplit(url)
    return parts.path or "/"


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _sentence(kind: type[HerodeployError], reason: str, method: str, url: str) -> str:
    if kind is PlatformUnreachable:
        return f"cannot reach {origin(url)}: {reason} ({method} {where(url)})"
    return f"{method} {where(url)} at {origin(url)} failed: {reason}"


def _way_out(kind: type[HerodeployError], error: Exception, method: str, url: str) -> str | None:
    if kind is not PlatformUnreachable:
        return None
    if method in ("POST", "PATCH") and not never_sent(error):
        return "it is not known whether the platform carried it out; look before repeating it"
    if (urlsplit(url).hostname or "") in ("127.0.0.1", "localhost"):
        return "is the local platform running? `herodeploy local start`"
    return "is there a network, and does https://status.heroku.com report trouble?"


def _detail(error: BaseException) -> str | None:
    """Return the operating system's word for what went wrong, from as deep as it lies."""
    seen: set[int] = set()
    current: Any = error
    while isinstance(current, BaseException) and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.strerror and not isinstance(current, requests.RequestException):
            return str(current.strerror).lower()
        inner = getattr(current, "reason", None) or next(
            (a for a in current.args if isinstance(a, BaseException)), None
        )
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__
    return None


def _json_object(response: requests.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, requests.exceptions.RequestException):
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
