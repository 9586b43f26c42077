"""Telling waiting deliveries that something happened which may change what their gates say, in its transaction."""

from __future__ import annotations

import sqlalchemy as sa

from herodeploy.domain.delivery import Status
from herodeploy.store import schema


def tell(tx: sa.Connection, *whom: sa.ColumnElement[bool], by: str | None = None) -> None:
    """Count one thing more for those that wait.

    Parameters:
        whom: conditions on deliveries, all of which must hold.
        by: the person who asks for them to go on.
    """
    table = schema.deliveries
    values: dict[str, object] = {"news": table.c.news + 1} | ({"asked_by": by} if by is not None else {})
    tx.execute(table.update().where(table.c.status == str(Status.WAITING), *whom).values(values))


def before(pipeline_id: str | None, stage: str | None = None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on those before a stage.

    Parameters:
        pipeline_id: None means every pipeline.
        stage: None means every stage.
    """
    columns = schema.deliveries.c
    of_pipeline = [columns.pipeline_id == pipeline_id] if pipeline_id is not None else []
    return of_pipeline + ([columns.at_stage == stage] if stage is not None else [])
