"""What happened last in a stage is found at once, however long the audit log is."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Index events by stage and kind."""
    op.create_index("events_by_kind", "events", ["pipeline_id", "stage", "kind", "delivery_id", "seq"])
