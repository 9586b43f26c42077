"""Where changes come from: git repositories."""

from __future__ import annotations
