"""What gates answered and saw, and what people said to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from herodeploy.domain.approval import Approval
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Answer, Observation, Override, Verdict
from herodeploy.store import news, schema
from herodeploy.store.database import Database
from herodeploy.store.rows import row_of


class Gates:
    """Verdicts, approvals, overrides and observations; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def verdicts(self, delivery_id: str, stage: str) -> list[Verdict]:
        """Return the latest verdicts, in the order of the gates."""
        table = schema.verdicts
        query = sa.select(table).where(table.c.delivery_id == delivery_id, table.c.stage == stage)
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(table.c.position)).all()
        return [verdict_of(row) for row in rows]

    def add_approval(self, approval: Approval, event: Event) -> None:
        """Remember a person's yes or no."""
        with self._db.write() as tx:
            tx.execute(schema.approvals.insert().values(row_of(approval)))
            tx.execute(schema.events.insert().values(row_of(event)))
            news.tell(tx, schema.deliveries.c.id == approval.delivery_id, by=approval.by)

    def add_override(self, override: Override, event: Event) -> None:
        """Remember a person's decision against a gate."""
        with self._db.write() as tx:
            tx.execute(schema.overrides.insert().values(row_of(override)))
            tx.execute(schema.events.insert().values(row_of(event)))
            news.tell(tx, schema.deliveries.c.id == override.delivery_id, by=override.by)

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


def verdict_of(row: sa.Row[Any]) -> Verdict:
    """Return a verdict's row as the verdict."""
    said = Answer(row.said) if row.said else None
    return Verdict(
        row.kind, Answer(row.answer), row.reason, row.until, row.facts, row.name, row.actor, row.comment, said
    )
