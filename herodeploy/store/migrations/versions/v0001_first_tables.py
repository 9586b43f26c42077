"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    _deliveries()
    _verdicts()
    _approvals()
    _modes()
    _events()
    _occupations()
    _verified()


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("pipeline_id", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("commit", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("at_stage", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("ci", sa.Text),
        sa.Column("slug_id", sa.Text),
        sa.Column("source_app_id", sa.Text),
        sa.Column("source_release_id", sa.Text),
        sa.Column("reason", sa.Text),
    )
    op.create_index("deliveries_of_pipeline", "deliveries", ["pipeline_id", "id"])
    op.create_index("deliveries_by_status", "deliveries", ["pipeline_id", "status"])


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("gate", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", _TIME),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("slug_id", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("comment", sa.Text),
    )
    op.create_index("approvals_of_delivery", "approvals", ["delivery_id", "stage"])


def _modes() -> None:
    op.create_table(
        "modes",
        sa.Column("pipeline_id", sa.Text, primary_key=True),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("by", sa.Text),
        sa.Column("at", _TIME),
        sa.Column("why", sa.Text),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("pipeline_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("delivery_id", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("events_of_pipeline", "events", ["pipeline_id", "seq"])
    op.create_index("events_of_delivery", "events", ["delivery_id", "seq"])


def _occupations() -> None:
    op.create_table(
        "occupations",
        sa.Column("pipeline_id", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("delivery_id", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )


def _verified() -> None:
    op.create_table(
        "verified",
        sa.Column("pipeline_id", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("app_id", sa.Text, primary_key=True),
        sa.Column("release_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("slug_id", sa.Text, nullable=False),
        sa.Column("commit", sa.Text),
        sa.Column("delivery_id", sa.Text),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("verified_slugs", "verified", ["pipeline_id", "stage", "slug_id"])
