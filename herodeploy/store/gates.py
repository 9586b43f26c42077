"""What gates answered and saw, and what people said to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from herodeploy.domain.approval import Approval
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Answer, Observation, Override, Verdict
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import row_of


class Gates:
    """Verdicts, approvals, overrides and observations; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record_verdicts(self, delivery_id: str, stage: str, verdicts: Sequence[Verdict], at: datetime) -> None:
        """Put these in the place of the verdicts that this delivery had for this stage."""
        table = schema.verdicts
        rows = [
            {"delivery_id": delivery_id, "stage": stage, "position": position, "at": at, **row_of(verdict)}
            for position, verdict in enumerate(verdicts)
        ]
        with self._db.write() as tx:
            tx.execute(table.delete().where(table.c.delivery_id == delivery_id, table.c.stage == stage))
            if rows:
                tx.execute(table.insert(), rows)

    def verdicts(self, delivery_id: str, stage: str) -> list[Verdict]:
        """Return the latest verdicts, in the order of the gates."""
        table = schema.verdicts
        query = sa.select(table).where(table.c.delivery_id == delivery_id, table.c.stage == stage)
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(table.c.position)).all()
        return [_verdict(row) for row in rows]

    def add_approval(self, approval: Approval, event: Event) -> None:
        """Remember a person's yes or no."""
        with self._db.write() as tx:
            tx.execute(schema.approvals.insert().values(row_of(approval)))
            tx.execute(schema.events.insert().values(row_of(event)))

    def approvals_of(self, pipeline_id: str, stage: str, slug_id: str) -> list[Approval]:
        """Return every yes and no for this artifact in this stage, in whatever delivery, oldest first."""
        table, deliveries = schema.approvals, schema.deliveries
        of_pipeline = sa.select(deliveries.c.id).where(deliveries.c.pipeline_id == pipeline_id)
        query = sa.select(table).where(
            table.c.stage == stage, table.c.slug_id == slug_id, table.c.delivery_id.in_(of_pipeline)
        )
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(table.c.at, table.c.id)).all()
        return [Approval(**row._mapping) for row in rows]

    def add_override(self, override: Override, event: Event) -> None:
        """Remember a person's decision against a gate."""
        with self._db.write() as tx:
            tx.execute(schema.overrides.insert().values(row_of(override)))
            tx.execute(schema.events.insert().values(row_of(event)))

    def overrides(self, delivery_id: str, stage: str) -> list[Override]:
        """Return the decisions against gates of this delivery before this stage, oldest first."""
        table = schema.overrides
        query = sa.select(table).where(table.c.delivery_id == delivery_id, table.c.stage == stage)
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(table.c.at, table.c.id)).all()
        return [Override(**row._mapping) for row in rows]

    def observations(self, delivery_id: str, stage: str) -> dict[str, Observation]:
        """Return what this delivery's gates before this stage saw last, by their names."""
        table = schema.observations
        query = sa.select(table).where(table.c.delivery_id == delivery_id, table.c.stage == stage)
        with self._db.read() as tx:
            rows = tx.execute(query).all()
        return {row.gate: Observation(row.at, row.data, row.error) for row in rows}

    def record_observation(self, delivery_id: str, stage: str, gate: str, seen: Observation) -> None:
        """Put this in the place of what the gate saw before."""
        table = schema.observations
        key = {"delivery_id": delivery_id, "stage": stage, "gate": gate}
        with self._db.write() as tx:
            tx.execute(table.delete().filter_by(**key))
            tx.execute(table.insert().values({**key, **row_of(seen)}))


def _verdict(row: sa.Row[Any]) -> Verdict:
    said = Answer(row.said) if row.said else None
    return Verdict(
        row.kind, Answer(row.answer), row.reason, row.until, row.facts, row.name, row.actor, row.comment, said
    )
