"""The built-in buildpack for Python."""

from __future__ import annotations
