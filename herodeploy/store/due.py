"""Which deliveries are to be looked at now, and when the next one will be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import delivery_of

_PAUSING = (str(Status.WAITING), str(Status.ERRORED))


class Due:
    """What is due, and asking for it; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def deliveries(self, pipeline_id: str, now: datetime, limit: int) -> list[Delivery]:
        """Return those to be carried on now: those that run, then those that a person asks for; oldest first.

        Due is what runs (where no process is at work on the pipeline it was cut), to what something happened, and whose
        time has come; what soaks is due at its next look.
        """
        columns = schema.deliveries.c
        pausing = columns.status.in_(_PAUSING)
        # Three questions of an index each; one with OR would read every delivery that waits.
        kinds = (
            sa.and_(
                columns.status == str(Status.RUNNING), sa.or_(columns.recheck_at.is_(None), columns.recheck_at <= now)
            ),
            sa.and_(columns.news > 0, pausing),
            sa.and_(columns.recheck_at <= now, columns.news == 0, pausing),
        )
        ids = [sa.select(columns.id).where(columns.pipeline_id == pipeline_id, kind) for kind in kinds]
        query = sa.select(schema.deliveries).where(columns.id.in_(sa.union_all(*ids)))
        order = (columns.status != str(Status.RUNNING), columns.asked_by.is_(None), columns.id)
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(*order).limit(limit)).all()
        return [delivery_of(row) for row in rows]

    def next_at(self, pipeline_id: str) -> datetime | None:
        """Return when the next one is due though nothing happens."""
        columns = schema.deliveries.c
        query = sa.select(sa.func.min(columns.recheck_at, type_=columns.recheck_at.type))
        times = []
        with self._db.read() as tx:
            for status in (*_PAUSING, str(Status.RUNNING)):
                when = tx.execute(query.where(columns.pipeline_id == pipeline_id, columns.status == status)).scalar()
                times += [when] if when is not None else []
        return min(times, default=None)

    def running(self, pipeline_id: str) -> list[Delivery]:
        """Return those that run, oldest first; some of them soak between two waves, others may have been cut."""
        columns = schema.deliveries.c
        runs = sa.and_(columns.pipeline_id == pipeline_id, columns.status == str(Status.RUNNING))
        with self._db.read() as tx:
            rows = tx.execute(sa.select(schema.deliveries).where(runs).order_by(columns.id)).all()
        return [delivery_of(row) for row in rows]

    def put_off(self, delivery_id: str, until: datetime | None) -> None:
        """Have one that runs left alone until then; None once its next leg begins, which has no reason."""
        table = schema.deliveries
        ours = sa.and_(table.c.id == delivery_id, table.c.status == str(Status.RUNNING))
        soaked = {"reason": None} if until is None else {}
        with self._db.write() as tx:
            tx.execute(table.update().where(ours).values(recheck_at=until, **soaked))

    def ask(self, delivery_id: str, by: str | None) -> None:
        """Have a delivery that waits or errored looked at again, for a person or for nobody."""
        columns = schema.deliveries.c
        self._ask(_PAUSING, columns.id == delivery_id, {"asked_by": by})

    def ask_all(self, pipeline_id: str) -> None:
        """Have all that wait or errored looked at again."""
        self._ask(_PAUSING, schema.deliveries.c.pipeline_id == pipeline_id, {})

    def ask_waiting(self, pipeline_id: str) -> None:
        """Have all that wait looked at again; those that errored have their pause."""
        self._ask((str(Status.WAITING),), schema.deliveries.c.pipeline_id == pipeline_id, {})

    def _ask(self, statuses: Sequence[str], whom: sa.ColumnElement[bool], values: dict[str, object]) -> None:
        table = schema.deliveries
        update = table.update().where(whom, table.c.status.in_(statuses)).values(news=table.c.news + 1, **values)
        with self._db.write() as tx:
            tx.execute(update)
