"""Tables and migrations: deliveries, verdicts, approvals, modes, events."""

from __future__ import annotations
