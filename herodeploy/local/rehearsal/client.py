"""A client of the control API, on the standard library alone."""

from __future__ import annotations

from typing import Any

from herodeploy.local import loopback
from herodeploy.local.loopback import Answered as Refused
from herodeploy.local.wire import auth

__all__ = ["Control", "Refused"]


class Control:
    """Commands one platform.

    Parameters:
        url: of the platform.
        token: of its control API, ``control-token`` in its data folder.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def fault(self, kind: str, route: str = "*", **options: Any) -> dict[str, Any]:
        """Order a fault; options as of `herodeploy.local.rehearsal.faults.Fault`. Returns it, with its id.

        Raises:
            Refused: a value that cannot be one.
            OSError: the platform cannot be reached.
        """
        return dict(self._call("POST", "faults", {"kind": kind, "route": route, **options}))

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that stand, and how often each struck."""
        return list(self._call("GET", "faults"))

    def clear_faults(self, key: str | None = None) -> None:
        """Withdraw one fault, or all."""
        self._call("DELETE", "faults" if key is None else f"faults/{key}")

    def requests(self) -> list[dict[str, Any]]:
        """Return the newest requests to the API, oldest first."""
        return list(self._call("GET", "requests"))

    def forget_requests(self) -> None:
        """Begin the log of requests anew."""
        self._call("DELETE", "requests")

    def advance(self, seconds: float) -> dict[str, Any]:
        """Let so many seconds pass on the platform's clock; what they bring about has happened on return."""
        return dict(self._call("POST", "clock", {"seconds": seconds}))

    def clock(self) -> dict[str, Any]:
        """Return the platform's time, and how many seconds it is ahead."""
        return dict(self._call("GET", "clock"))

    def reset(self) -> None:
        """Destroy every app and pipeline and withdraw all faults."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return loopback.ask(self._url, self._token, method, auth.CONTROL + path, body)
