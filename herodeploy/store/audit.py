"""The audit log: reading on from where one was, and what happened last in a stage."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from herodeploy.domain.event import Event
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import event_of


class Audit:
    """Events by their numbers and kinds, however many there are; errors as of `Store`."""

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

    def last(
        self,
        pipeline_id: str,
        stage: str,
        kinds: Collection[str],
        *,
        delivery_id: str | None = None,
        after: int = 0,
        said: Mapping[str, str] | None = None,
    ) -> Event | None:
        """Return the newest event of these kinds in a stage.

        Parameters:
            delivery_id: only of this delivery.
            after: only one that came after the event of that number.
            said: only where the event's data have one of these values under its name.
        """
        newest = _number(pipeline_id, stage, kinds, delivery_id, said or {}).scalar_subquery()
        columns = schema.events.c
        with self._db.read() as tx:
            row = tx.execute(sa.select(schema.events).where(columns.seq == newest, columns.seq > after)).first()
        return None if row is None else event_of(row)

    def number_of_last(
        self, pipeline_id: str, stage: str, kinds: Collection[str], *, delivery_id: str | None = None
    ) -> int:
        """Return the number of the event that `last` gives, 0 where there is none."""
        with self._db.read() as tx:
            return int(tx.execute(_number(pipeline_id, stage, kinds, delivery_id, {})).scalar() or 0)

    def of_kind(self, pipeline_id: str, stage: str, *kinds: str) -> list[Event]:
        """Return all events of some kinds in a stage, the newest first; for what happens seldom."""
        table = schema.events
        query = sa.select(table).where(_in_stage(pipeline_id, stage, kinds)).order_by(table.c.seq.desc())
        with self._db.read() as tx:
            return [event_of(row) for row in tx.execute(query)]


def _number(
    pipeline_id: str, stage: str, kinds: Collection[str], delivery_id: str | None, said: Mapping[str, str]
) -> sa.Select[Any]:
    table = schema.events
    meant = _in_stage(pipeline_id, stage, kinds)
    if delivery_id is not None:
        meant = sa.and_(meant, table.c.delivery_id == delivery_id)
    if said:
        meant = sa.and_(meant, sa.or_(*(table.c.data[name].as_string() == text for name, text in said.items())))
    # With the bare column SQLite would walk back through all events of the pipeline.
    return sa.select(sa.func.max(table.c.seq + 0)).where(meant)


def _in_stage(pipeline_id: str, stage: str, kinds: Collection[str]) -> sa.ColumnElement[bool]:
    table = schema.events
    return sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage, table.c.kind.in_(kinds))
