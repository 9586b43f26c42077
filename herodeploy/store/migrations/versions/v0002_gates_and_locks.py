"""Locks, holds, overrides, what gates saw, what promotion targets came to; verdicts have a name and an actor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Change verdicts and deliveries, and make the new tables."""
    _verdicts()
    op.add_column("deliveries", sa.Column("recheck_at", _TIME))
    op.create_index("deliveries_to_recheck", "deliveries", ["status", "recheck_at"])
    op.add_column("verified", sa.Column("app", sa.Text, nullable=False, server_default=""))
    op.create_index("approvals_of_slug", "approvals", ["stage", "slug_id"])
    _locks()
    _holds()
    _overrides()
    _observations()
    _targets()


def _verdicts() -> None:
    op.alter_column("verdicts", "gate", new_column_name="kind")
    op.add_column("verdicts", sa.Column("name", sa.Text, nullable=False, server_default=""))
    op.add_column("verdicts", sa.Column("actor", sa.Text))
    op.add_column("verdicts", sa.Column("comment", sa.Text))
    op.add_column("verdicts", sa.Column("said", sa.Text))


def _locks() -> None:
    op.create_table(
        "locks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("pipeline_id", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("until", _TIME),
        sa.Column("warning", sa.Boolean, nullable=False),
    )
    op.create_index("locks_of_pipeline", "locks", ["pipeline_id", "stage"])


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("pipeline_id", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("since", _TIME, nullable=False),
    )
    op.create_table(
        "taken_back",
        sa.Column("pipeline_id", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("commit", sa.Text, primary_key=True),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("delivery_id", sa.Text),
    )


def _overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("slug_id", sa.Text, nullable=False),
        sa.Column("gate", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("overrides_of_delivery", "overrides", ["delivery_id", "stage"])


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("gate", sa.Text, primary_key=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
    )


def _targets() -> None:
    op.create_table(
        "targets",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("pipeline_id", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Text),
        sa.Column("wave", sa.Integer, nullable=False),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("slug_id", sa.Text),
        sa.Column("release_id", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("output", sa.Text, nullable=False),
    )
    op.create_index("targets_of_move", "targets", ["move", "app"], unique=True)
    op.create_index("targets_of_stage", "targets", ["pipeline_id", "stage", "seq"])
    op.create_index("targets_of_delivery", "targets", ["delivery_id", "seq"])
