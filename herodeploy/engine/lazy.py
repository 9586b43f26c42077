"""An engine that is opened when the first leg is to run: most turns on a pipeline only ask gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from herodeploy.engine.port import Engine


class LazyEngine:
    """The engine's port before the engine.

    Parameters:
        make: opens the engine.
    """

    def __init__(self, make: Callable[[], Engine]) -> None:
        self._make = make
        self._engine: Engine | None = None

    def run(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Run the leg on the engine; errors as of its own, and of opening it."""
        if self._engine is None:
            self._engine = self._make()
        return self._engine.run(leg_id, leg, payload)

    def close(self) -> None:
        """Close the engine, if it was opened."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
