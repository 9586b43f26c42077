"""One file a step; never change one that was published."""

from __future__ import annotations
