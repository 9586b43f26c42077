"""Two-factor authentication: the code that Heroku asks for in the middle of things.

As the Heroku CLI does it: where the refusal names an app, that app is authorized with the code and the request sent
again; else the request is sent again with the code.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import requests

from herodeploy.errors import TwoFactorRequired

HEADER = "Heroku-Two-Factor-Code"
TRIES = 3

Sent = Callable[[Mapping[str, str]], requests.Response]
"""Sends a request with these headers added."""


class SecondFactor:
    """Asks a person for codes, one question at a time, whatever the number of threads.

    Parameters:
        ask: returns the code that a person types, and is told whether the last one was not taken.
        authorize: sends the request that authorizes an app, with the headers given.
    """

    def __init__(self, ask: Callable[[bool], str], authorize: Callable[[str, Mapping[str, str]], object]) -> None:
        self._ask = ask
        self._authorize = authorize
        self._asking = threading.Lock()
        self._authorized: dict[str, float] = {}

    def send(self, attempt: Sent) -> requests.Response:
        """Send a request, and again with the code where one is asked for.

        Raises:
            TwoFactorRequired: the codes given were not taken.
        """
        headers: Mapping[str, str] = {}
        for left in reversed(range(TRIES + 1)):
            began = time.monotonic()
            try:
                return attempt(headers)
            except TwoFactorRequired as wanted:
                if not left:
                    raise _not_taken(wanted) from None
                headers = self._proof(wanted, began, again=HEADER in headers)
        raise AssertionError("unreachable")  # pragma: no cover - the last try returns or raises

    def _proof(self, wanted: TwoFactorRequired, began: float, *, again: bool) -> Mapping[str, str]:
        """Return what to add to the request; nothing where its app is authorized now."""
        with self._asking:
            if wanted.app is None:
                return {HEADER: self._ask(again)}
            # Another thread may have authorized this app while our request was on its way.
            if self._authorized.get(wanted.app, 0.0) < began:
                self._give(wanted.app)
            return {}

    def _give(self, app: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._authorize(app, {HEADER: self._ask(left < TRIES - 1)})
                break
            except TwoFactorRequired as wanted:
                if not left:
                    raise _not_taken(wanted) from None
        self._authorized[app] = time.monotonic()


def _not_taken(wanted: TwoFactorRequired) -> TwoFactorRequired:
    wanted.hint = (
        f"{TRIES} codes were not taken: see that the clock of what makes them is right, then give the command again"
    )
    return wanted
