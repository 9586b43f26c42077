"""Where the database is, how it is opened and migrated, and what its errors mean to a reader."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from herodeploy.errors import StoreError, UsageError
from herodeploy.store import bell, schema

ENV = "HERODEPLOY_DATABASE_URL"
BUSY_SECONDS = 30
# Any number that no one else locks: two processes must not migrate one PostgreSQL database at once.
_MIGRATION_LOCK = 4_217_040_611


def default_state_dir() -> Path:
    """Return herodeploy's own folder: ``$XDG_STATE_HOME/herodeploy``, or ``~/.local/state/herodeploy``."""
    home = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification says that relative paths are to be ignored.
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    return base / "herodeploy"


class Database:
    """An open database, at the newest schema."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.place = _place(engine.url)

    @classmethod
    def open(cls, url: str | None, state_dir: Path | None) -> Database:
        """Open, make and migrate; parameters and errors as of `Store.open`."""
        address = _address(url or os.environ.get(ENV), state_dir)
        if address.get_backend_name() == "sqlite":
            _make_file(address)
        database = cls(_connectable(address))
        try:
            database._migrate()
        except BaseException:
            database.close()
            raise
        return database

    @property
    def url(self) -> str:
        """The address with its password."""
        return self._engine.url.render_as_string(hide_password=False)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that only reads."""
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: str | None = None) -> Iterator[sa.Connection]:
        """Open a transaction that is the only writer from its start on SQLite, so that it never fails half-way.

        Parameters:
            alone: no other transaction of that name runs beside this one, on PostgreSQL neither.
        """
        with self._explained(), self._engine.execution_options(write=True).begin() as connection:
            if alone is not None and self._engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(alone, 0))))
            yield connection
            if self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"NOTIFY {bell.CHANNEL}")

    def bell(self) -> bell.Bell:
        """Return what rings after every write of any herodeploy."""
        with self._explained():
            if self._engine.dialect.name == "sqlite":
                return bell.SqliteBell(str(self._engine.url.database))
            engine = sa.create_engine(self._engine.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
            return bell.PostgresBell(engine.connect())

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that knows ``on_conflict_do_nothing``."""
        return sqlite.insert(table) if self._engine.dialect.name == "sqlite" else postgresql.insert(table)

    def _migrate(self) -> None:
        with self.read() as connection:
            if _version(connection) == schema.HEAD:
                return
        from herodeploy.store import upgrade

        with self.write() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            version = _version(connection)
            if version is not None and not upgrade.knows(version):
                raise StoreError(
                    f"the database {self.place} was written by a newer herodeploy (schema {version}, this one knows "
                    f"{schema.HEAD})",
                    hint="upgrade herodeploy: pip install --upgrade herodeploy",
                )
            upgrade.to_head(connection)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _explain(error, self.place, self._engine.dialect.name) from error


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE):
        return None
    row = connection.execute(sa.text(f"SELECT version_num FROM {schema.VERSION_TABLE}")).first()  # noqa: S608 - our constant
    return None if row is None else str(row[0])


def _address(url: str | None, state_dir: Path | None) -> sa.URL:
    if not url:
        return sa.URL.create("sqlite", database=str((state_dir or default_state_dir()) / "herodeploy.db"))
    try:
        address = sa.make_url(url)
    except (ArgumentError, ValueError):
        # The text itself is not shown: it may hold a password.
        raise UsageError(f"{ENV} is no database address", hint=_EXAMPLES) from None
    # Heroku's own DATABASE_URL says postgres://, which SQLAlchemy knows no more.
    if address.drivername in ("postgres", "postgresql"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"{ENV} names a {address.get_backend_name()} database", hint=_EXAMPLES)
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise UsageError(f"{ENV} names a database in memory, which would forget everything", hint=_EXAMPLES)
    return address


_EXAMPLES = f"for example {ENV}=postgresql://user:password@host/name or {ENV}=sqlite:////path/herodeploy.db"


def _place(address: sa.URL) -> str:
    if address.get_backend_name() == "sqlite":
        return str(address.database)
    port = f":{address.port}" if address.port else ""
    return f"postgresql://{address.host or ''}{port}/{address.database or ''}"


def _make_file(address: sa.URL) -> None:
    file = Path(str(address.database))
    try:
        if not file.parent.exists():
            file.parent.mkdir(parents=True, mode=0o700)
        file.touch(mode=0o600, exist_ok=True)
        _write_ahead(file)
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}", hint=_ELSEWHERE) from error


def _write_ahead(file: Path) -> None:
    """Switch a database to write-ahead logging once, alone: SQLite answers "locked" at once to rivals at that."""
    lock = file.with_name(f"{file.name}.lock")
    lock.touch(mode=0o600, exist_ok=True)
    with lock.open("w") as rivals, suppress(sqlite3.Error):
        # A file that is no database is told of when it is opened for use.
        fcntl.flock(rivals, fcntl.LOCK_EX)
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


_ELSEWHERE = f"make that folder writable, or set XDG_STATE_HOME or {ENV} to another place"


def _connectable(address: sa.URL) -> sa.Engine:
    try:
        if address.get_backend_name() == "sqlite":
            engine = sa.create_engine(address, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
            _tune_sqlite(engine)
            return engine
        return sa.create_engine(address, hide_parameters=True, pool_pre_ping=True, pool_size=2, max_overflow=8)
    except (ImportError, NoSuchModuleError) as error:
        raise StoreError(
            f"no driver for {_place(address)}: {error}", hint="pip install 'herodeploy[postgres]'"
        ) from error


def _tune_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # SQLAlchemy, not the driver, says when a transaction begins.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _explain(error: SQLAlchemyError, place: str, dialect: str) -> StoreError:
    said = str(error.orig if isinstance(error, DBAPIError) and error.orig else error).strip().splitlines()[0]
    message = f"the database {place} cannot be used: {said}"
    if dialect != "sqlite":
        return StoreError(message, hint=f"check {ENV} and whether that server runs")
    if "not a database" in said or "malformed" in said:
        return StoreError(message, hint="move that file away and start again; Heroku itself loses nothing by it")
    if "locked" in said:
        return StoreError(message, hint="another process holds it; try again")
    return StoreError(message, hint=_ELSEWHERE)
