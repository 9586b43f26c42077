"""One story a file, as plain functions."""

from __future__ import annotations
