"""Children of the platform: started under a guard, so that none outlives it."""

from __future__ import annotations
