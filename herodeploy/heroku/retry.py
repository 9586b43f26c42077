"""When a request is repeated, and how long that waits. Nothing else in herodeploy repeats requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import tenacity

from herodeploy.heroku.failures import never_sent

ATTEMPTS = 6
_LONGEST = 60.0
_TRANSIENT = (500, 502, 503, 504)
_network = tenacity.wait_random_exponential(multiplier=0.3, max=8)
# Heroku names no Retry-After and refills about 75 calls a minute: soon enough to be of use, late enough to be let in.
_throttled = tenacity.wait_exponential(multiplier=2, max=_LONGEST)

Send = Callable[[], requests.Response]


def with_retries(send: Send, *, repeatable: bool, sleep: Callable[[float], None] = time.sleep) -> requests.Response:
    """Send a request until it is answered for good; the last answer or error is handed on as it is.

    Parameters:
        repeatable: sending it twice does no harm. One that is not is repeated only where the platform surely did
            nothing: no connection was made, or the answer was 429.
    """
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        retry=tenacity.retry_any(
            tenacity.retry_if_exception(lambda error: _worth_repeating(error, repeatable)),
            tenacity.retry_if_result(lambda response: _refused_for_now(response, repeatable)),
        ),
        sleep=sleep,
        before_sleep=_let_go,
        retry_error_callback=_last,
    )
    return retrying(send)


def _worth_repeating(error: BaseException, repeatable: bool) -> bool:
    if isinstance(error, requests.exceptions.SSLError):
        return False
    passing = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    return isinstance(error, passing) and (repeatable or never_sent(error))


def _refused_for_now(response: requests.Response, repeatable: bool) -> bool:
    return response.status_code == 429 or (repeatable and response.status_code in _TRANSIENT)


def _wait(state: tenacity.RetryCallState) -> float:
    response = _answer(state)
    if response is None:
        return _network(state)
    asked = _retry_after(response.headers.get("Retry-After"))
    if asked is not None:
        return min(asked, _LONGEST)
    return _throttled(state) if response.status_code == 429 else _network(state)


def _retry_after(value: str | None) -> float | None:
    """Return the seconds a Retry-After header asks for, in either of its forms."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _answer(state: tenacity.RetryCallState) -> requests.Response | None:
    outcome = state.outcome
    return None if outcome is None or outcome.failed else outcome.result()


def _let_go(state: tenacity.RetryCallState) -> None:
    response = _answer(state)
    if response is not None:
        response.close()


def _last(state: tenacity.RetryCallState) -> requests.Response:
    assert state.outcome is not None  # noqa: S101 - it was attempted
    result: requests.Response = state.outcome.result()
    return result
