"""Deliveries know what happened since their gates were asked, and who asked for them to go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change deliveries; those that wait are looked at once more, as nobody knows what happened to them."""
    op.add_column("deliveries", sa.Column("news", sa.Integer, nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("asked_by", sa.Text))
    op.add_column("deliveries", sa.Column("judged", sa.Text))
    op.execute("UPDATE deliveries SET news = 1 WHERE status = 'waiting'")
    op.drop_index("deliveries_to_recheck", "deliveries")
    op.drop_index("deliveries_by_status", "deliveries")
    op.create_index("deliveries_by_status", "deliveries", ["pipeline_id", "status", "recheck_at"])
    op.create_index("deliveries_of_commit", "deliveries", ["pipeline_id", "commit"])
    with_news = sa.text("news > 0")
    op.create_index(
        "deliveries_with_news",
        "deliveries",
        ["pipeline_id", "id"],
        sqlite_where=with_news,
        postgresql_where=with_news,
    )
