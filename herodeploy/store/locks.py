"""What keeps changes out of stages: locks, holds, and the marks on commits that were taken back."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from herodeploy.domain.event import Event
from herodeploy.domain.lock import Hold, Lock, TakenBack
from herodeploy.store import news, schema
from herodeploy.store.database import Database
from herodeploy.store.rows import row_of


class Locks:
    """Locks, holds and marks; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, lock: Lock, event: Event) -> None:
        """Lock, and forget the locks that have ended; the same id again changes nothing.

        Whoever locks means what they have asked for before, too: it is as if they had not asked.
        """
        with self._db.write() as tx:
            tx.execute(schema.locks.delete().where(schema.locks.c.until <= lock.since))
            wanted = self._db.insert(schema.locks).values(row_of(lock)).on_conflict_do_nothing()
            if tx.execute(wanted.returning(schema.locks.c.id)).first() is not None:
                tx.execute(schema.events.insert().values(row_of(event)))
                news.tell(tx, *news.before(lock.pipeline_id, lock.stage))
                if not lock.warning:
                    _ask_no_more(tx, lock)

    def remove(self, lock_id: str, event: Event) -> bool:
        """Unlock; whether the lock was there."""
        table = schema.locks
        with self._db.write() as tx:
            removed = tx.execute(table.delete().where(table.c.id == lock_id).returning(table)).first()
            if removed is not None:
                tx.execute(schema.events.insert().values(row_of(event)))
                news.tell(tx, *news.before(removed.pipeline_id, removed.stage))
        return removed is not None

    def of_pipeline(self, pipeline_id: str) -> list[Lock]:
        """Return the locks of a pipeline, its stages and everything, oldest first; those that have ended too."""
        table = schema.locks
        meant = sa.or_(table.c.pipeline_id == pipeline_id, table.c.pipeline_id.is_(None))
        with self._db.read() as tx:
            rows = tx.execute(sa.select(table).where(meant).order_by(table.c.since, table.c.id)).all()
        return [Lock(**row._mapping) for row in rows]

    def of_stage(self, pipeline_id: str, stage: str) -> list[Lock]:
        """Return the locks that mean this stage, oldest first; those that have ended too."""
        return [lock for lock in self.of_pipeline(pipeline_id) if lock.stage in (None, stage)]

    def set_hold(self, hold: Hold, event: Event) -> None:
        """Hold a stage; a newer hold takes the older one's place."""
        table = schema.holds
        with self._db.write() as tx:
            tx.execute(table.delete().filter_by(pipeline_id=hold.pipeline_id, stage=hold.stage))
            tx.execute(table.insert().values(row_of(hold)))
            tx.execute(schema.events.insert().values(row_of(event)))
            news.tell(tx, *news.before(hold.pipeline_id, hold.stage))

    def hold(self, pipeline_id: str, stage: str) -> Hold | None:
        """Return the hold on a stage."""
        table = schema.holds
        with self._db.read() as tx:
            row = tx.execute(sa.select(table).filter_by(pipeline_id=pipeline_id, stage=stage)).first()
        return None if row is None else Hold(**row._mapping)

    def pauses(self, pipeline_id: str, stage: str, commit: str | None = None) -> bool:
        """Whether a stage is held, or commits that were taken back from it are marked; with `commit` that one."""
        here = {"pipeline_id": pipeline_id, "stage": stage}
        marks = sa.select(schema.taken_back.c.stage).filter_by(**here, **({"commit": commit} if commit else {}))
        query = sa.select(schema.holds.c.stage).filter_by(**here).union_all(marks)
        with self._db.read() as tx:
            return tx.execute(query.limit(1)).first() is not None

    def lift_hold(self, pipeline_id: str, stage: str, event: Event) -> bool:
        """End the hold on a stage, and forget which commits were taken back from it; whether there was any."""
        with self._db.write() as tx:
            tables = (schema.holds, schema.taken_back)
            here = {"pipeline_id": pipeline_id, "stage": stage}
            lifted = sum(tx.execute(table.delete().filter_by(**here)).rowcount for table in tables)
            if lifted:
                tx.execute(schema.events.insert().values(row_of(event)))
                news.tell(tx, *news.before(pipeline_id, stage))
        return lifted > 0

    def take_back(self, marks: Sequence[TakenBack]) -> None:
        """Mark commits; one that is marked already stays as it is."""
        with self._db.write() as tx:
            for mark in marks:
                tx.execute(self._db.insert(schema.taken_back).values(row_of(mark)).on_conflict_do_nothing())
                news.tell(tx, *news.before(mark.pipeline_id, mark.stage), schema.deliveries.c.commit == mark.commit)

    def taken_back(self, pipeline_id: str, stage: str, commit: str) -> TakenBack | None:
        """Return the mark on a commit."""
        table = schema.taken_back
        query = sa.select(table).filter_by(pipeline_id=pipeline_id, stage=stage, commit=commit)
        with self._db.read() as tx:
            row = tx.execute(query).first()
        return None if row is None else TakenBack(**row._mapping)


def _ask_no_more(tx: sa.Connection, lock: Lock) -> None:
    table = schema.deliveries
    theirs = sa.func.lower(table.c.asked_by) == sa.func.lower(lock.by)
    of_pipeline = [table.c.pipeline_id == lock.pipeline_id] if lock.pipeline_id is not None else []
    tx.execute(table.update().where(theirs, *of_pipeline).values(asked_by=None))
