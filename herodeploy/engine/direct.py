"""An engine without memory, for what a person watches from start to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from herodeploy.engine import plain
from herodeploy.engine.port import Leg, T


class DirectRun:
    """Calls each step as it comes."""

    def step(self, name: str, fn: Callable[..., T], *args: object) -> T:
        """Do `fn(*args)`; as with the durable engine only a plain result will do."""
        return plain.value(fn(*args), f"the result of step {name}")


class DirectEngine:
    """The engine's port with no durability: what is cut is lost.

    Parameters:
        legs: the legs by name.
    """

    def __init__(self, legs: Mapping[str, Leg]) -> None:
        self._legs = legs
        self._results: dict[str, dict[str, Any] | Exception] = {}

    def run(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Run the leg here and now; an id that has ended in this process ends the same way again."""
        if leg_id not in self._results:
            self._results[leg_id] = self._end(leg, payload)
        result = self._results[leg_id]
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """Nothing to let go of."""

    def _end(self, leg: str, payload: dict[str, Any]) -> dict[str, Any] | Exception:
        act = self._legs[leg]
        try:
            return plain.value(act(DirectRun(), plain.value(payload, f"the payload of leg {leg}")), f"leg {leg}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is how this id ended
            return error
