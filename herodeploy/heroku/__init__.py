"""The only code that talks to the Platform API."""

from __future__ import annotations
