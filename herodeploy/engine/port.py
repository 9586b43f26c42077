"""The port between flows and whatever runs their legs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Run(Protocol):
    """What a leg is given: the one door through which it may touch the world."""

    def step(self, name: str, fn: Callable[..., T], *args: object) -> T:
        """Do `fn(*args)` and record its result; a resumed leg gets the record instead of a second call.

        Killed between the act and its record, the act happens again: `fn` looks before it acts.

        Parameters:
            name: fixed for its place in the leg; renaming or reordering steps strands legs under way.
            fn: returns only plain JSON values (dict with str keys, list, str, int, float, bool, None).
        """
        ...


Leg = Callable[[Run, dict[str, Any]], dict[str, Any]]
"""A durable part of a delivery: takes and returns plain JSON values, acts only through its run."""


class Engine(Protocol):
    """Runs legs by name."""

    def run(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Start, or pick up, the leg of that id and wait for its end.

        The same id is never run twice: a finished one gives its recorded result, and one that raised raises
        that again. A KeyboardInterrupt leaves at once; a durable leg stays resumable under its id.
        """
        ...

    def close(self) -> None:
        """Let go of everything, quickly; legs under way stay resumable where the engine is durable."""
        ...
