"""The router: from an app's address to one of its web dynos."""

from __future__ import annotations
