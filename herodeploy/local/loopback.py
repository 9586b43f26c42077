"""Asks a platform on this machine, past any proxy that the user's surroundings name."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60.0


class Answered(Exception):
    """The platform refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def ask(url: str, token: str, method: str, path: str, body: Any = None, *, timeout: float = TIMEOUT) -> Any:
    """Send one request and return the JSON of its answer.

    Parameters:
        url: of the platform, ``http://127.0.0.1:<port>``.
        timeout: seconds.

    Raises:
        Answered: an error status.
        OSError: it cannot be reached, or what answers is no local platform.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
    except (http.client.HTTPException, ValueError) as problem:
        raise OSError(f"{url} does not answer as a local platform does: {problem}") from problem
    finally:
        connection.close()
    if reply.status >= 400:
        raise Answered(reply.status, str(answer.get("message", reply.status)))
    return answer
