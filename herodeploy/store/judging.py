"""What is read and written when the gates of one stage are asked for many deliveries at once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from herodeploy.domain.approval import Approval
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Observation, Override, Verdict
from herodeploy.domain.lock import TakenBack
from herodeploy.domain.pipeline import StageSpec
from herodeploy.errors import Busy
from herodeploy.store import schema
from herodeploy.store.database import Database
from herodeploy.store.rows import delivery_of, row_of


@dataclass
class Known:
    """What the store knows of many deliveries before one stage.

    Parameters:
        approvals: every yes and no for an artifact in this stage, in whatever delivery, oldest first, by artifact.
        overrides: oldest first, by delivery.
        observations: what gates saw last, by delivery and the gate's name.
        taken_back: the marks on commits that were taken back from this stage.
        verified: of each stage before, by its name, the artifacts that are verified there.
    """

    approvals: Mapping[str, list[Approval]]
    overrides: Mapping[str, list[Override]]
    observations: Mapping[str, dict[str, Observation]]
    taken_back: Mapping[str, TakenBack]
    verified: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gates came to for one delivery.

    Parameters:
        delivery: as it was when they were asked.
        verdicts: what they say, in their order.
        at: when they were asked.
        changes: what changes of the delivery; nothing where it is as it was.
        event: what is told of it, if anything.
        asking: whether the person who asked for it still asks.
    """

    delivery: Delivery
    verdicts: Sequence[Verdict]
    at: datetime
    changes: Mapping[str, Any] = field(default_factory=dict)
    event: Event | None = None
    asking: bool = False


class Judging:
    """Reads and writes for as many deliveries as are given, in one transaction; errors as of `Store`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def known(self, pipeline_id: str, stage: str, earlier: Sequence[StageSpec], asked: Mapping[Delivery, str]) -> Known:
        """Return what the gates of a stage may know.

        Parameters:
            earlier: the stages before it.
            asked: the deliveries, each with its artifact.
        """
        ids, slugs = [each.id for each in asked], set(asked.values())
        with self._db.read() as tx:
            return Known(
                approvals=_grouped(tx.execute(_approvals(pipeline_id, stage, slugs)), "slug_id", _approval),
                overrides=_grouped(tx.execute(_overrides(ids, stage)), "delivery_id", _override),
                observations=_observations(tx, ids, stage),
                taken_back=_taken_back(tx, pipeline_id, stage, {each.commit for each in asked}),
                verified={each.name: _verified(tx, pipeline_id, each, slugs) for each in earlier},
            )

    def record(self, judged: Sequence[Judged]) -> set[str]:
        """Write what the gates came to, where it changed anything.

        A delivery that has ended or gone on since the gates were asked is left as it is. So is one that would end its
        waiting though something happened meanwhile that they knew nothing of: its news has it judged again.

        Returns:
            the ids of those whose answers count.
        """
        table = schema.deliveries
        columns = sa.select(table.c.id, table.c.status, table.c.at_stage, table.c.judged, table.c.news)
        query = columns.where(table.c.id.in_([each.delivery.id for each in judged])).order_by(table.c.id)
        with self._db.write() as tx:
            rows = {row.id: row for row in tx.execute(query.with_for_update())}
            valid = [each for each in judged if _still(each, rows.get(each.delivery.id))]
            prints = {each.delivery.id: _prints(each) for each in valid}
            changed = [each for each in valid if prints[each.delivery.id] != rows[each.delivery.id].judged]
            _write_verdicts(tx, self._db, changed, prints, {id_: row.judged or "" for id_, row in rows.items()})
            if events := [row_of(each.event) for each in valid if each.event is not None]:
                tx.execute(schema.events.insert(), events)
            moved = {each.delivery.id for each in changed}
            _move(tx, [each for each in valid if _moves(each) or each.delivery.id in moved], prints)
        return set(prints)

    def reject(self, judged: Judged, word: Approval, said: Event) -> Delivery:
        """Write a person's no and what it comes to, whatever else happened meanwhile.

        Raises:
            Busy: the delivery waits no longer before that stage.
        """
        table, id_ = schema.deliveries, judged.delivery.id
        query = sa.select(table).where(table.c.id == id_)
        with self._db.write() as tx:
            row = tx.execute(query.with_for_update()).one()
            known = dataclasses.replace(judged, delivery=delivery_of(row))
            if row.at_stage != judged.delivery.at_stage or not _still(known, row):
                raise Busy(f"delivery {id_} is {row.status} by now", hint="see where it stands: herodeploy status")
            prints = {id_: _prints(known)}
            tx.execute(schema.approvals.insert().values(row_of(word)))
            tx.execute(schema.events.insert(), [row_of(each) for each in (said, judged.event) if each])
            _write_verdicts(tx, self._db, [known], prints, {id_: row.judged or ""})
            _move(tx, [known], prints)
            return delivery_of(tx.execute(query).one())


def _approvals(pipeline_id: str, stage: str, slugs: Iterable[str]) -> sa.Select[Any]:
    table, deliveries = schema.approvals, schema.deliveries
    # Joined, not looked up in a list of all deliveries: a pipeline may have very many.
    joined = table.join(deliveries, table.c.delivery_id == deliveries.c.id)
    query = sa.select(table).select_from(joined).where(table.c.stage == stage, table.c.slug_id.in_(slugs))
    return query.where(deliveries.c.pipeline_id == pipeline_id).order_by(table.c.at, table.c.id)


def _approval(row: sa.Row[Any]) -> Approval:
    return Approval(**row._mapping)


def _overrides(ids: Sequence[str], stage: str) -> sa.Select[Any]:
    table = schema.overrides
    query = sa.select(table).where(table.c.delivery_id.in_(ids), table.c.stage == stage)
    return query.order_by(table.c.at, table.c.id)


def _override(row: sa.Row[Any]) -> Override:
    return Override(**row._mapping)


def _observations(tx: sa.Connection, ids: Sequence[str], stage: str) -> dict[str, dict[str, Observation]]:
    table = schema.observations
    seen: dict[str, dict[str, Observation]] = defaultdict(dict)
    for row in tx.execute(sa.select(table).where(table.c.delivery_id.in_(ids), table.c.stage == stage)):
        seen[row.delivery_id][row.gate] = Observation(row.at, row.data, row.error)
    return seen


def _taken_back(tx: sa.Connection, pipeline_id: str, stage: str, commits: Iterable[str]) -> dict[str, TakenBack]:
    table = schema.taken_back
    query = sa.select(table).filter_by(pipeline_id=pipeline_id, stage=stage).where(table.c.commit.in_(commits))
    return {row.commit: TakenBack(**row._mapping) for row in tx.execute(query)}


def _verified(tx: sa.Connection, pipeline_id: str, stage: StageSpec, slugs: Iterable[str]) -> frozenset[str]:
    """Return those of the artifacts that passed verification in every app of a stage."""
    table, apps = schema.verified, set(stage.apps)
    query = sa.select(table.c.slug_id).filter_by(pipeline_id=pipeline_id, stage=stage.name)
    query = query.where(table.c.slug_id.in_(slugs), table.c.app.in_(apps)).group_by(table.c.slug_id)
    everywhere = query.having(sa.func.count(table.c.app.distinct()) == len(apps))
    return frozenset(tx.execute(everywhere).scalars())


def _grouped(rows: Iterable[sa.Row[Any]], by: str, make: Any) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row._mapping[by]].append(make(row))
    return groups


def _still(judged: Judged, row: Any) -> bool:
    """Whether it waits before that stage as it did when the gates were asked, with nothing new if it is to go on."""
    if row is None or row.status != str(Status.WAITING) or row.at_stage != judged.delivery.at_stage:
        return False
    return "status" not in judged.changes or row.news == judged.delivery.news


def _moves(judged: Judged) -> bool:
    return bool(judged.changes) or judged.delivery.news > 0


def _prints(judged: Judged) -> str:
    """Return a short mark of each verdict behind the stage's name: what changed is seen without reading any."""
    marks = [hashlib.blake2b(repr(verdict).encode(), digest_size=6).hexdigest() for verdict in judged.verdicts]
    return "\n".join((judged.delivery.at_stage, *marks))


def _write_verdicts(
    tx: sa.Connection,
    database: Database,
    judged: Sequence[Judged],
    prints: Mapping[str, str],
    earlier: Mapping[str, str],
) -> None:
    """Write the verdicts that changed, and forget those of gates that are asked no more."""
    table = schema.verdicts
    rows, gone = [], []
    for each in judged:
        key = {"delivery_id": each.delivery.id, "stage": each.delivery.at_stage}
        before, *last = earlier[each.delivery.id].split("\n")
        last = last if before == each.delivery.at_stage else []
        marks = prints[each.delivery.id].split("\n")[1:]
        for position, (verdict, mark) in enumerate(zip(each.verdicts, marks, strict=True)):
            if position >= len(last) or last[position] != mark:
                rows.append({**key, "position": position, "at": each.at, **row_of(verdict)})
        if len(last) > len(each.verdicts):
            gone.append({"of": key["delivery_id"], "before": key["stage"], "asked": len(each.verdicts)})
    if rows:
        wanted = database.insert(table)
        fresh = {column.name: wanted.excluded[column.name] for column in table.c if not column.primary_key}
        tx.execute(wanted.on_conflict_do_update(index_elements=list(table.primary_key), set_=fresh), rows)
    if gone:
        ours = sa.and_(table.c.delivery_id == sa.bindparam("of"), table.c.stage == sa.bindparam("before"))
        tx.execute(table.delete().where(ours, table.c.position >= sa.bindparam("asked")), gone)


def _move(tx: sa.Connection, judged: Sequence[Judged], prints: Mapping[str, str]) -> None:
    """Change deliveries, and count as seen only what had happened when their gates were asked."""
    if not judged:
        return
    table, seen = schema.deliveries, sa.bindparam("seen", type_=sa.Integer)
    columns = ("status", "reason", "recheck_at", "attempt", "updated_at")
    update = (
        table.update()
        .where(table.c.id == sa.bindparam("of"))
        .values(
            **{name: sa.bindparam(f"new_{name}") for name in columns},
            judged=sa.bindparam("new_judged"),
            news=table.c.news - seen,
            asked_by=sa.case((table.c.news == seen, sa.bindparam("new_asked_by")), else_=table.c.asked_by),
        )
    )
    tx.execute(update, [{**_changed(each, columns), "new_judged": prints[each.delivery.id]} for each in judged])


def _changed(judged: Judged, columns: Sequence[str]) -> dict[str, Any]:
    delivery = judged.delivery
    values = {name: judged.changes.get(name, getattr(delivery, name)) for name in columns}
    if judged.event is not None:
        values["updated_at"] = judged.event.at
    values["status"] = str(values["status"])
    asked_by = delivery.asked_by if judged.asking else None
    return {
        "of": delivery.id,
        "seen": delivery.news,
        "new_asked_by": asked_by,
        **{f"new_{name}": value for name, value in values.items()},
    }
