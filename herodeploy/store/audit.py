"""Reading on in the audit log from where one was."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from herodeploy.domain.event import Event
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import event_of


class Audit:
    """Events by their numbers; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def newest(self, pipeline_id: str) -> int:
        """Return the number of the pipeline's newest event, 0 without any."""
        table = schema.events
        with self._db.read() as tx:
            newest = tx.execute(sa.select(sa.func.max(table.c.seq)).where(table.c.pipeline_id == pipeline_id)).scalar()
        return int(newest or 0)

    def after(self, delivery_ids: Sequence[str], number: int) -> list[tuple[int, Event]]:
        """Return what happened to these deliveries after the event of that number, each with its own, oldest first."""
        table = schema.events
        later = sa.select(table).where(table.c.delivery_id.in_(delivery_ids), table.c.seq > number)
        with self._db.read() as tx:
            return [(row.seq, event_of(row)) for row in tx.execute(later.order_by(table.c.seq))]
