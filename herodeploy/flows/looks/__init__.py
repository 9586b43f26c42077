"""How gates look at the world: one file a kind; the question itself is in gates/."""

from __future__ import annotations
