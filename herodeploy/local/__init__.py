"""The local platform: a Heroku-compatible platform on one loopback port.

``from herodeploy.local import LocalPlatform`` runs one inside a Python program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from herodeploy.local.embedded import LocalPlatform

__all__ = ["LocalPlatform"]


def __getattr__(name: str) -> Any:
    """Import `LocalPlatform` only for those who use it: the web stack is heavy."""
    if name == "LocalPlatform":
        from herodeploy.local.embedded import LocalPlatform

        return LocalPlatform
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
