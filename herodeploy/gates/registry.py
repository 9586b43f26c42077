"""Every kind of gate, by the name that herodeploy.yml uses."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from herodeploy.domain.gate import Facts, Look, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import UsageError
from herodeploy.gates import (
    approval,
    batch,
    checks,
    ci,
    command,
    freeze,
    hold,
    http,
    lock,
    preflight,
    soak,
    upstream,
    window,
)

Ask = Callable[[Facts, GateSpec, datetime], Verdict]


class Cost(IntEnum):
    """What it costs to ask: gates are asked in this order."""

    FREE = 0
    """The facts are in the store."""
    LOOKS = 1
    """It looks at the platform or the forge."""
    ACTS = 2
    """It runs something of the user's; asked only once all others pass."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One kind of gate.

    Parameters:
        ask: its question, a pure function of the facts and the time.
        options: those it knows, beside ``name``.
        model: of a gate of somebody else's, a pydantic model that checks its options, in the place of `options`.
        cost: what it costs to ask.
        look: how a gate of somebody else's looks at the world; herodeploy's own looks are in flows/looks.
        by_hand: whether it is asked, too, when a person promotes without a delivery; the others are that person's own.
    """

    kind: str
    ask: Ask
    options: frozenset[str] = frozenset()
    model: type[Any] | None = None
    cost: Cost = Cost.FREE
    look: Look | None = None
    by_hand: bool = False


GATES = {
    gate.kind: gate
    for gate in (
        Gate(ci.KIND, ci.ask),
        Gate(upstream.KIND, upstream.ask, upstream.OPTIONS),
        Gate(lock.KIND, lock.ask, by_hand=True),
        Gate(hold.KIND, hold.ask),
        Gate(approval.KIND, approval.ask, approval.OPTIONS),
        Gate(window.KIND, window.ask, window.OPTIONS),
        Gate(freeze.KIND, freeze.ask, freeze.OPTIONS, by_hand=True),
        Gate(http.KIND, http.ask, http.OPTIONS, cost=Cost.LOOKS),
        Gate(command.KIND, command.ask, command.OPTIONS, cost=Cost.ACTS),
        Gate(batch.KIND, batch.ask, batch.OPTIONS, cost=Cost.LOOKS),
        Gate(checks.KIND, checks.ask, checks.OPTIONS, cost=Cost.LOOKS),
        Gate(preflight.KIND, preflight.ask, preflight.OPTIONS, cost=Cost.LOOKS, by_hand=True),
        Gate(soak.KIND, soak.ask, soak.OPTIONS, cost=Cost.LOOKS),
    )
}


def gate(kind: str) -> Gate:
    """Return the gate of that kind, ours or another package's.

    Raises:
        UsageError: there is none, and the hint names the nearest; or the package's cannot be used.
    """
    if kind in GATES:
        return GATES[kind]
    # Looked for only now: few need it, and it reads what is installed.
    from herodeploy.gates import plugins

    found = plugins.find(kind)
    if found is not None:
        return found
    near = difflib.get_close_matches(kind, GATES, n=1)
    raise UsageError(
        f"no gate is named {kind!r}", hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(GATES)}"
    )
