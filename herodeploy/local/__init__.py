"""The local platform: a Heroku-compatible platform on one loopback port."""

from __future__ import annotations
