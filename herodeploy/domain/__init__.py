"""Pure vocabulary and decisions: standard library only, no input or output, `now` is an argument."""

from __future__ import annotations
