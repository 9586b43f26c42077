"""Faults on demand: what a careful client of Heroku must survive, when a test wants it to."""

from __future__ import annotations

import random
import re
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

REPLIES = ("delinquent", "forbidden", "gone", "rate-limit", "error", "unavailable")
"""402, 403, 410, 429, 500 as JSON, 503 as HTML, each in place of the action."""
FACTOR = "two-factor"
"""403 ``two_factor`` unless the code comes along or the app was authorized with it; stands until withdrawn."""
CODE = "123456"
"""The code of this platform's account."""
CUTS = ("reset-before", "reset-after")
"""The connection is reset before the action is carried out, or after it."""
STREAMS = ("latency", "stall")
"""The reply comes late, or stops half-way and stays open."""
PLATFORM = ("build", "release", "dyno")
"""A build fails, a release phase fails, the dynos of a release crash on boot."""
KINDS = (*REPLIES, FACTOR, *CUTS, *STREAMS, *PLATFORM)


@dataclass(slots=True)
class Fault:
    """One order to go wrong.

    Parameters:
        kind: one of `KINDS`.
        route: what is hit, ``POST /apps/{app}/builds``; ``*`` stands for any method, and at the end of a path for any
            rest; ``{...}`` for one part. For kinds of the platform it is the app's name, or ``*``.
        count: how often it strikes; None for ever.
        probability: of striking, each time.
        seed: of the chance, so that a run can be repeated.
        seconds: of `latency`.
        bytes: of the reply that `stall` lets pass.
    """

    kind: str
    route: str = "*"
    count: int | None = 1
    probability: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    bytes: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    struck: int = 0

    def plain(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


class Faults:
    """The orders that stand, in the order in which they were given."""

    def __init__(self) -> None:
        self._orders: dict[str, Fault] = {}
        self._chances: dict[str, random.Random] = {}
        self._authorized: set[str] = set()

    def __iter__(self) -> Any:
        return iter(list(self._orders.values()))

    def add(self, fault: Fault) -> Fault:
        """Let something go wrong from now on.

        Raises:
            ValueError: a value that cannot be one; the message is for people.
        """
        if problem := _problem(fault):
            raise ValueError(problem)
        self._orders[fault.id] = fault
        self._chances[fault.id] = random.Random(fault.seed)  # noqa: S311 # repeatable on purpose
        return fault

    def remove(self, key: str) -> bool:
        """Withdraw an order; False where there is none of that id."""
        self._chances.pop(key, None)
        return self._orders.pop(key, None) is not None

    def clear(self) -> None:
        """Withdraw all orders."""
        self._orders.clear()
        self._chances.clear()
        self._authorized.clear()

    def authorize(self, app_id: str) -> None:
        """Ask no code for this app any more, as its person gave the right one."""
        self._authorized.add(app_id)

    def for_request(self, method: str, path: str, code: str | None = None, app_id: str | None = None) -> Fault | None:
        """Return the fault that strikes this request, and count it.

        Parameters:
            code: the second factor that came with it.
            app_id: the app in its path.
        """
        proven = code == CODE or app_id in self._authorized
        wire = (*REPLIES, *CUTS, *STREAMS, *(() if proven else (FACTOR,)))
        return self._strike(lambda fault: fault.kind in wire and _hits(fault.route, method, path))

    def for_app(self, kind: str, app_name: str) -> Fault | None:
        """Return the fault of that kind that strikes this app, and count it."""
        return self._strike(lambda fault: fault.kind == kind and fault.route in ("*", app_name))

    def _strike(self, hits: Any) -> Fault | None:
        for fault in self:
            left = fault.count is None or fault.kind == FACTOR or fault.struck < fault.count
            if left and hits(fault) and self._chances[fault.id].random() < fault.probability:
                fault.struck += 1
                return fault  # type: ignore[no-any-return] # __iter__ of a dict's values
        return None


def _problem(fault: Fault) -> str | None:
    if fault.kind not in KINDS:
        return f"kind must be one of: {', '.join(KINDS)}; not {fault.kind!r}"
    if fault.kind not in PLATFORM and not re.fullmatch(r"\*|([A-Z]+|\*) /\S*", fault.route):
        return f"route must look like 'POST /apps/{{app}}/builds', or '*'; not {fault.route!r}"
    if not 0 < fault.probability <= 1:
        return f"probability must be above 0 and at most 1; not {fault.probability}"
    if fault.count is not None and fault.count < 1:
        return f"count must be 1 or more; not {fault.count}"
    if fault.seconds < 0 or fault.bytes < 0:
        return "seconds and bytes cannot be negative"
    return None


def _hits(route: str, method: str, path: str) -> bool:
    if route == "*":
        return True
    wanted, _, pattern = route.partition(" ")
    if wanted not in ("*", method):
        return False
    whole, rest = (pattern[:-1], ".*") if pattern.endswith("*") else (pattern, "")
    parts = re.split(r"\{[^}]*\}", whole)
    return re.fullmatch("[^/]+".join(map(re.escape, parts)) + rest, path) is not None
