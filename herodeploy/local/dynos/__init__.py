"""Dynos: what an app runs, kept running."""

from __future__ import annotations
