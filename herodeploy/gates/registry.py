"""Every kind of gate, by the name that herodeploy.yml uses."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from herodeploy.domain.gate import Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import UsageError
from herodeploy.gates import approval, ci, upstream

Ask = Callable[[Facts, GateSpec, datetime], Verdict]


@dataclass(frozen=True, slots=True)
class Gate:
    """One kind: its question, a pure function of the facts and the time, and the options it knows."""

    kind: str
    ask: Ask
    options: frozenset[str] = frozenset()


GATES = {
    gate.kind: gate
    for gate in (
        Gate(ci.KIND, ci.ask),
        Gate(upstream.KIND, upstream.ask),
        Gate(approval.KIND, approval.ask, approval.OPTIONS),
    )
}


def gate(kind: str) -> Gate:
    """Return the gate of that kind.

    Raises:
        UsageError: there is none; the hint names the nearest.
    """
    if kind in GATES:
        return GATES[kind]
    near = difflib.get_close_matches(kind, GATES, n=1)
    raise UsageError(
        f"no gate is named {kind!r}", hint=f"did you mean {near[0]!r}?" if near else f"known: {', '.join(GATES)}"
    )
