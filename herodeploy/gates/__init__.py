"""One question a file, a registry, and their evaluation."""

from __future__ import annotations
