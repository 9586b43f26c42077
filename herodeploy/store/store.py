"""What herodeploy remembers: deliveries, gates' answers, modes, events, who is in a stage, what was verified."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.mode import Mode, ModeChange
from herodeploy.errors import Busy, StoreError
from herodeploy.store import news, schema
from herodeploy.store.audit import Audit
from herodeploy.store.bell import Bell
from herodeploy.store.database import Database
from herodeploy.store.due import Due
from herodeploy.store.gates import Gates
from herodeploy.store.judging import Judging
from herodeploy.store.locks import Locks
from herodeploy.store.rows import delivery_of, event_of, plain, row_of
from herodeploy.store.targets import Targets


@dataclass(frozen=True, slots=True)
class Verified:
    """An artifact that passed verification, its commit where it is known, and when that was."""

    slug_id: str
    commit: str | None
    at: datetime


_OPEN = [str(status) for status in Status if not status.ended]


class Store:
    """Every method is one transaction, those of `gates`, `locks`, `judging`, `due`, `audit` and `targets` too.

    Raises:
        StoreError: whenever the database cannot be used, with the way out.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self.gates = Gates(database)
        self.locks = Locks(database)
        self.judging = Judging(database)
        self.due = Due(database)
        self.audit = Audit(database)
        self.targets = Targets(database)

    @classmethod
    def open(cls, url: str | None = None, *, state_dir: Path | None = None) -> Store:
        """Open the database, and make or migrate it where needed.

        Parameters:
            url: any database that SQLAlchemy reaches with SQLite or PostgreSQL; without it the one that
                ``HERODEPLOY_DATABASE_URL`` names, or else ``herodeploy.db`` in `state_dir`.
            state_dir: herodeploy's own folder, ``$XDG_STATE_HOME/herodeploy`` unless given.

        Raises:
            UsageError: the address is none, or of a kind of database that is not supported.
        """
        return cls(Database.open(url, state_dir))

    @property
    def url(self) -> str:
        """The database's address, with its password: for other connections, never for people."""
        return self._db.url

    @property
    def place(self) -> str:
        """The database's address as people may see it."""
        return self._db.place

    def close(self) -> None:
        """Close every connection."""
        self._db.close()

    def bell(self) -> Bell:
        """Return what rings after every write to this database, also one of another process; to be closed."""
        return self._db.bell()

    # Deliveries

    def add_delivery(self, delivery: Delivery, event: Event) -> Delivery:
        """Remember a new delivery, unless one of that commit is open in the pipeline by now.

        Returns:
            the one that is there: this one, or the other.
        """
        table = schema.deliveries
        rivals = sa.select(table).where(
            table.c.pipeline_id == delivery.pipeline_id,
            table.c.status.in_(_OPEN),
            table.c.commit == delivery.commit,
        )
        with self._db.write(alone=f"deliveries of {delivery.pipeline_id}") as tx:
            rival = tx.execute(rivals.order_by(table.c.id)).first()
            if rival is not None and not delivery.status.ended:
                return delivery_of(rival)
            tx.execute(table.insert().values(row_of(delivery)))
            tx.execute(schema.events.insert().values(row_of(event)))
        return delivery

    def delivery(self, delivery_id: str) -> Delivery | None:
        """Return the delivery of exactly that id."""
        table = schema.deliveries
        with self._db.read() as tx:
            row = tx.execute(sa.select(table).where(table.c.id == delivery_id)).first()
        return None if row is None else delivery_of(row)

    def find_deliveries(self, pipeline_id: str, prefix: str) -> list[Delivery]:
        """Return those meant by the start or last part of an id, or the start of a commit; newest first."""
        table = schema.deliveries
        meant = sa.or_(
            table.c.id.startswith(prefix, autoescape=True),
            table.c.id.endswith(f"-{prefix}", autoescape=True),
            table.c.commit.startswith(prefix, autoescape=True),
        )
        return self._deliveries(sa.and_(table.c.pipeline_id == pipeline_id, meant), newest=True)

    def deliveries(self, pipeline_id: str, limit: int = 20) -> list[Delivery]:
        """Return the newest deliveries, newest first."""
        return self._deliveries(schema.deliveries.c.pipeline_id == pipeline_id, newest=True, limit=limit)

    def open_deliveries(self, pipeline_id: str, *, before: str | None = None) -> list[Delivery]:
        """Return those that run, wait or are errored, oldest first.

        Parameters:
            before: only those older than the delivery of this id.
        """
        table = schema.deliveries
        older = table.c.id < before if before is not None else sa.true()
        return self._deliveries(
            sa.and_(table.c.pipeline_id == pipeline_id, table.c.status.in_(_OPEN), older), newest=False
        )

    def move(self, delivery_id: str, *, event: Event, expect: Status | None = None, **changes: object) -> Delivery:
        """Change fields of a delivery and write the event, both or neither; `updated_at` becomes the event's time.

        One that begins to wait is due to be looked at; one that no longer runs leaves the stage that it was in.

        Parameters:
            expect: the status it must still have.

        Raises:
            Busy: another process has moved it on from `expect`.
        """
        table = schema.deliveries
        values = {"updated_at": event.at, **{name: plain(value) for name, value in changes.items()}}
        with self._db.write() as tx:
            row = tx.execute(sa.select(table).where(table.c.id == delivery_id).with_for_update()).first()
            if row is None:
                raise StoreError(f"no delivery {delivery_id} in {self.place}", hint="herodeploy history lists them")
            if expect is not None and row.status != expect:
                raise Busy(
                    f"delivery {delivery_id} is {row.status} by now, no longer {expect}",
                    hint="see where it stands: herodeploy status",
                )
            if values.get("status") == Status.WAITING:
                values["news"] = row.news + 1
            tx.execute(table.update().where(table.c.id == delivery_id).values(values))
            if values.get("status", row.status) != Status.RUNNING:
                tx.execute(schema.occupations.delete().where(schema.occupations.c.delivery_id == delivery_id))
            tx.execute(schema.events.insert().values(row_of(event)))
            return delivery_of(tx.execute(sa.select(table).where(table.c.id == delivery_id)).one())

    def _deliveries(self, where: sa.ColumnElement[bool], *, newest: bool, limit: int | None = None) -> list[Delivery]:
        order = schema.deliveries.c.id.desc() if newest else schema.deliveries.c.id.asc()
        with self._db.read() as tx:
            rows = tx.execute(sa.select(schema.deliveries).where(where).order_by(order).limit(limit)).all()
        return [delivery_of(row) for row in rows]

    # The mode

    def mode(self, pipeline_id: str) -> ModeChange | None:
        """Return the last throw of the switch, or None while herodeploy.yml alone decides."""
        table = schema.modes
        with self._db.read() as tx:
            row = tx.execute(sa.select(table).where(table.c.pipeline_id == pipeline_id)).first()
        return None if row is None else ModeChange(row.pipeline_id, Mode(row.mode), row.by, row.at, row.why)

    def set_mode(self, change: ModeChange, event: Event) -> None:
        """Throw the switch; earlier throws stay in the events."""
        table = schema.modes
        with self._db.write() as tx:
            tx.execute(table.delete().where(table.c.pipeline_id == change.pipeline_id))
            tx.execute(table.insert().values(row_of(change)))
            tx.execute(schema.events.insert().values(row_of(event)))
            news.tell(tx, *news.before(change.pipeline_id))

    # Events

    def record_event(self, event: Event) -> None:
        """Write one line of the audit log."""
        with self._db.write() as tx:
            tx.execute(schema.events.insert().values(row_of(event)))

    def events(self, pipeline_id: str, delivery_id: str | None = None, limit: int = 100) -> list[Event]:
        """Return the newest events, newest first."""
        table = schema.events
        query = sa.select(table).where(table.c.pipeline_id == pipeline_id)
        if delivery_id is not None:
            query = query.where(table.c.delivery_id == delivery_id)
        with self._db.read() as tx:
            rows = tx.execute(query.order_by(table.c.seq.desc()).limit(limit)).all()
        return [event_of(row) for row in rows]

    # Who is in a stage, and what proved well there

    def occupy(self, pipeline_id: str, stage: str, delivery_id: str, at: datetime) -> str:
        """Enter a stage, unless another delivery is in it. The row outlives this process.

        Returns:
            The id of the delivery that is in the stage now: ours, or the one to wait for.
        """
        table = schema.occupations
        here = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage)
        with self._db.write() as tx:
            tx.execute(
                self._db.insert(table)
                .values(pipeline_id=pipeline_id, stage=stage, delivery_id=delivery_id, at=at)
                .on_conflict_do_nothing()
            )
            return str(tx.execute(sa.select(table.c.delivery_id).where(here)).scalar_one())

    def vacate(self, pipeline_id: str, stage: str, delivery_id: str) -> None:
        """Leave a stage; nothing happens where another delivery is in it."""
        table = schema.occupations
        ours = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage, table.c.delivery_id == delivery_id)
        with self._db.write() as tx:
            tx.execute(table.delete().where(ours))

    def occupant(self, pipeline_id: str, stage: str) -> str | None:
        """Return the id of the delivery that is in the stage."""
        table = schema.occupations
        here = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage)
        with self._db.read() as tx:
            holder = tx.execute(sa.select(table.c.delivery_id).where(here)).scalar()
        return None if holder is None else str(holder)

    def record_verified(
        self,
        pipeline_id: str,
        stage: str,
        app_id: str,
        release_id: str,
        version: int,
        slug_id: str,
        commit: str | None,
        delivery_id: str | None,
        at: datetime,
        app: str,
    ) -> None:
        """Remember that this very release of an app of that name passed verification; the first time counts."""
        row = {
            "pipeline_id": pipeline_id,
            "stage": stage,
            "app_id": app_id,
            "release_id": release_id,
            "version": version,
            "slug_id": slug_id,
            "commit": commit,
            "delivery_id": delivery_id,
            "at": at,
            "app": app,
        }
        with self._db.write() as tx:
            tx.execute(self._db.insert(schema.verified).values(row).on_conflict_do_nothing())
            news.tell(tx, *news.before(pipeline_id), schema.deliveries.c.slug_id == slug_id)

    def forget_verified(self, pipeline_id: str, stage: str, slug_id: str) -> None:
        """Let a verification that failed win over those that this artifact passed before in this stage."""
        table = schema.verified
        of_it = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage, table.c.slug_id == slug_id)
        with self._db.write() as tx:
            tx.execute(table.delete().where(of_it))
            news.tell(tx, *news.before(pipeline_id), schema.deliveries.c.slug_id == slug_id)

    def is_verified(self, pipeline_id: str, stage: str, slug_id: str, apps: Collection[str]) -> bool:
        """Whether this artifact passed verification in each of these apps of a stage, and has failed in none since."""
        table = schema.verified
        query = sa.select(table.c.app).where(
            table.c.pipeline_id == pipeline_id, table.c.stage == stage, table.c.slug_id == slug_id
        )
        with self._db.read() as tx:
            return set(apps) <= set(tx.execute(query).scalars())

    def verified_commit(self, pipeline_id: str, stage: str, slug_id: str) -> str | None:
        """Return the commit of an artifact that passed verification in this stage; None where nobody knows it."""
        table = schema.verified
        query = sa.select(table.c.commit).filter_by(pipeline_id=pipeline_id, stage=stage, slug_id=slug_id)
        with self._db.read() as tx:
            return tx.execute(query.where(table.c.commit.is_not(None)).limit(1)).scalar() or None

    def verified_slugs(self, pipeline_id: str, stage: str) -> list[str]:
        """Return the artifacts that passed verification in this stage, each once, the latest to pass first."""
        table = schema.verified
        query = sa.select(table.c.slug_id).where(table.c.pipeline_id == pipeline_id, table.c.stage == stage)
        with self._db.read() as tx:
            slugs = tx.execute(query.order_by(table.c.at.desc(), table.c.version.desc())).scalars().all()
        return list(dict.fromkeys(slugs))

    def last_verified(self, pipeline_id: str, stage: str) -> Verified | None:
        """Return what passed verification in this stage last; where a rollback did, the commit of its artifact."""
        table = schema.verified
        here = sa.and_(table.c.pipeline_id == pipeline_id, table.c.stage == stage)
        newest = sa.select(table).where(here).order_by(table.c.at.desc(), table.c.version.desc()).limit(1)
        with self._db.read() as tx:
            row = tx.execute(newest).first()
            if row is None:
                return None
            commits = sa.select(table.c.commit).where(here, table.c.slug_id == row.slug_id, table.c.commit.is_not(None))
            commit = row.commit or tx.execute(commits.limit(1)).scalar()
        return Verified(row.slug_id, commit or None, row.at)
