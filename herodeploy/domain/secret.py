"""Values that must not be shown."""

from __future__ import annotations

from dataclasses import dataclass

REDACTED = "[REDACTED]"
OURS = ("HEROKU_API_KEY", "HERODEPLOY_DATABASE_URL")
"""The environment variables with herodeploy's own secrets, which reach nothing of the user's."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that prints as ``[REDACTED]``; `reveal` is the only way to it."""

    _value: str

    def reveal(self) -> str:
        """Return the value itself, for the wire alone."""
        return self._value

    def __repr__(self) -> str:
        return REDACTED

    __str__ = __repr__
