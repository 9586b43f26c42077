"""The built-in buildpack for Node.js."""

from __future__ import annotations
