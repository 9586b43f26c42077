"""What moves into stages came to in each app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from herodeploy.domain.target import Target
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import row_of


class Targets:
    """The targets of moves; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, targets: Sequence[Target]) -> None:
        """Remember targets; one of that move that is there already has begun anew, and stays as it is else."""
        table = schema.targets
        with self._db.write() as tx:
            for target in targets:
                new = self._db.insert(table).values(row_of(target))
                tx.execute(new.on_conflict_do_update(index_elements=["move", "app"], set_={"at": new.excluded.at}))

    def update(self, move: str, changes: Mapping[str, Mapping[str, object]]) -> None:
        """Change fields of a move's targets.

        Parameters:
            changes: of each app, the fields to change.
        """
        table = schema.targets
        with self._db.write() as tx:
            for app, values in changes.items():
                tx.execute(table.update().where(table.c.move == move, table.c.app == app).values(dict(values)))

    def skip(self, move: str) -> None:
        """Let every target that is still pending be skipped."""
        table = schema.targets
        with self._db.write() as tx:
            tx.execute(table.update().where(table.c.move == move, table.c.status == "pending").values(status="skipped"))

    def of_delivery(self, delivery_id: str) -> list[Target]:
        """Return the targets of every move of a delivery, oldest move first."""
        return self._targets(schema.targets.c.delivery_id == delivery_id)

    def of_last_move(self, pipeline_id: str, stage: str) -> list[Target]:
        """Return the targets of the newest move into a stage, in the order of its waves; none without any."""
        table = schema.targets
        here = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage)
        newest = (
            sa.select(table.c.move)
            .where(here)
            .order_by(table.c.at.desc(), table.c.seq.desc())
            .limit(1)
            .scalar_subquery()
        )
        return self._targets(sa.and_(here, table.c.move == newest))

    def _targets(self, where: sa.ColumnElement[bool]) -> list[Target]:
        with self._db.read() as tx:
            rows = tx.execute(sa.select(schema.targets).where(where).order_by(schema.targets.c.seq)).all()
        return [_target(row) for row in rows]


def _target(row: sa.Row[Any]) -> Target:
    return Target(**{name: value for name, value in row._mapping.items() if name != "seq"})
