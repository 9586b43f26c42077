"""The durable-workflow engine behind a small port."""

from __future__ import annotations
