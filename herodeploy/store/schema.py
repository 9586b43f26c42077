"""The tables. Their history is in migrations/; `HEAD` names its newest step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

HEAD = "0004"
VERSION_TABLE = "herodeploy_schema"


class Utc(sa.TypeDecorator[datetime]):
    """An aware time: kept and given back in UTC, also where the database knows no time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn into UTC; a naive time is a mistake of the caller's."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Make aware again what SQLite keeps naive."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return] # a datetime


metadata = sa.MetaData()

deliveries = sa.Table(
    "deliveries",
    metadata,
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
    sa.Column("created_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("ci", sa.Text),
    sa.Column("slug_id", sa.Text),
    sa.Column("source_app_id", sa.Text),
    sa.Column("source_release_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("recheck_at", Utc),
    sa.Column("news", sa.Integer, nullable=False, server_default="0"),
    sa.Column("asked_by", sa.Text),
    sa.Column("judged", sa.Text),
    sa.Index("deliveries_of_pipeline", "pipeline_id", "id"),
    sa.Index("deliveries_of_commit", "pipeline_id", "commit"),
    sa.Index("deliveries_by_status", "pipeline_id", "status", "recheck_at"),
)
sa.Index(
    "deliveries_with_news",
    deliveries.c.pipeline_id,
    deliveries.c.id,
    sqlite_where=deliveries.c.news > 0,
    postgresql_where=deliveries.c.news > 0,
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("until", Utc),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("actor", sa.Text),
    sa.Column("comment", sa.Text),
    sa.Column("said", sa.Text),
)

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("slug_id", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("approved", sa.Boolean, nullable=False),
    sa.Column("comment", sa.Text),
    sa.Index("approvals_of_delivery", "delivery_id", "stage"),
    sa.Index("approvals_of_slug", "stage", "slug_id"),
)

modes = sa.Table(
    "modes",
    metadata,
    sa.Column("pipeline_id", sa.Text, primary_key=True),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("by", sa.Text),
    sa.Column("at", Utc),
    sa.Column("why", sa.Text),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("pipeline_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("delivery_id", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("events_of_pipeline", "pipeline_id", "seq"),
    sa.Index("events_of_delivery", "delivery_id", "seq"),
    sa.Index("events_by_kind", "pipeline_id", "stage", "kind", "delivery_id", "seq"),
)

occupations = sa.Table(
    "occupations",
    metadata,
    sa.Column("pipeline_id", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("delivery_id", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

verified = sa.Table(
    "verified",
    metadata,
    sa.Column("pipeline_id", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("app_id", sa.Text, primary_key=True),
    sa.Column("release_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("slug_id", sa.Text, nullable=False),
    sa.Column("commit", sa.Text),
    sa.Column("delivery_id", sa.Text),
    sa.Column("at", Utc, nullable=False),
    sa.Column("app", sa.Text, nullable=False, server_default=""),
    sa.Index("verified_slugs", "pipeline_id", "stage", "slug_id"),
)

locks = sa.Table(
    "locks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("pipeline_id", sa.Text),
    sa.Column("stage", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False),
    sa.Column("until", Utc),
    sa.Column("warning", sa.Boolean, nullable=False),
    sa.Index("locks_of_pipeline", "pipeline_id", "stage"),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("pipeline_id", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("since", Utc, nullable=False),
)

taken_back = sa.Table(
    "taken_back",
    metadata,
    sa.Column("pipeline_id", sa.Text, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("commit", sa.Text, primary_key=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("delivery_id", sa.Text),
)

overrides = sa.Table(
    "overrides",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("slug_id", sa.Text, nullable=False),
    sa.Column("gate", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("overrides_of_delivery", "delivery_id", "stage"),
)

observations = sa.Table(
    "observations",
    metadata,
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("gate", sa.Text, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("error", sa.Text),
)

targets = sa.Table(
    "targets",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", Utc, nullable=False),
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
    sa.Index("targets_of_move", "move", "app", unique=True),
    sa.Index("targets_of_stage", "pipeline_id", "stage", "seq"),
    sa.Index("targets_of_delivery", "delivery_id", "seq"),
)
