"""What an administrator does in a PostgreSQL: make, empty and drop databases with a role of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import unquote, urlsplit

from herodeploy.local.postgres.unavailable import EXTRA, Unavailable

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SETTING = "HERODEPLOY_LOCAL_POSTGRES_URL"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to tell of a database; `size` is in bytes."""

    version: str
    size: int
    tables: int
    connections: int


@dataclass(frozen=True, slots=True)
class Admin:
    """An administrator's way in: may create databases and roles.

    Parameters:
        host: a loopback address.
        database: one that is always there.
        door: the port for everybody else; 0: the same.
        creators: the role that those are in who may make databases; empty: none.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = "postgres"
    door: int = 0
    creators: str = ""

    async def create(self, database: str, role: str, password: str, *, creates: bool = False) -> None:
        """Make a role and a database that is its own; no other role but the administrator's may enter that.

        Parameters:
            creates: whether the role may make more databases.

        Raises:
            Unavailable: the server cannot be reached, or refuses.
        """
        from psycopg import sql

        names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
        async with self._connected() as server:
            # A hash goes over the wire and into the server's log, never the password.
            hidden = server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            right = sql.SQL("CREATEDB" if creates else "NOCREATEDB")
            make = sql.SQL("CREATE ROLE {role} LOGIN {right} PASSWORD {hidden}")
            await server.execute(make.format(**names, right=right, hidden=sql.Literal(hidden)))
            if not await _answer(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
                await server.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(**names))
            if creates and self.creators:
                await server.execute(sql.SQL("GRANT {} TO {role}").format(sql.Identifier(self.creators), **names))
            await _create_database(server, database, role)

    async def reset(self, database: str, role: str, extensions: Sequence[str] = ()) -> None:
        """Make a database as empty as at first; whoever is connected is cut off.

        Raises:
            Unavailable: the server cannot be reached, or refuses (an extension that it lacks).
        """
        from psycopg import sql

        async with self._connected() as server:
            await server.execute(_drop(database))
            await _create_database(server, database, role)
        async with self._connected(database) as server:
            for name in extensions:
                await server.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))

    async def disconnect(self, database: str) -> None:
        """Cut off whoever is connected to a database.

        Raises:
            Unavailable: the server cannot be reached, or refuses.
        """
        async with self._connected() as server:
            await server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,)
            )

    async def drop(self, role: str) -> None:
        """Drop a role and every database that is its own; nothing happens where there is none.

        Raises:
            Unavailable: the server cannot be reached, or refuses.
        """
        from psycopg import sql

        async with self._connected() as server:
            own = "SELECT datname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba WHERE rolname = %s"
            for (database,) in await (await server.execute(own, (role,))).fetchall():
                await server.execute(_drop(database))
            await server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))

    async def facts(self, database: str) -> Facts:
        """Look at a database.

        Raises:
            Unavailable: the server cannot be reached, or there is no such database.
        """
        async with self._connected(database) as server:
            return Facts(
                version=str(await _answer(server, "SHOW server_version")).split()[0],
                size=int(await _answer(server, "SELECT pg_database_size(current_database())")),
                tables=int(await _answer(server, "SELECT count(*) FROM pg_stat_user_tables")),
                connections=int(await _answer(server, _OTHERS)),
            )

    @asynccontextmanager
    async def _connected(self, database: str = "") -> AsyncIterator[AsyncConnection[Any]]:
        try:
            import psycopg
        except ImportError:
            raise Unavailable(f"psycopg, with which the platform talks to PostgreSQL, is missing. {EXTRA}") from None
        host, address = _there(self.host)
        try:
            async with await psycopg.AsyncConnection.connect(
                host=host, hostaddr=address, port=self.port, user=self.user, password=self.password,
                dbname=database or self.database, connect_timeout=PATIENCE, autocommit=True,
            ) as server:  # fmt: skip
                yield server
        except psycopg.Error as problem:
            said = (str(problem).splitlines() or [type(problem).__name__])[0]
            raise Unavailable(f"PostgreSQL at {self.host}:{self.port} refused: {said}") from None


def parse(url: str) -> Admin:
    """Read an administrator's address.

    Raises:
        Unavailable: it is none, or not on this machine; the message does not repeat it, as a password is in it.
    """
    wanted = f"{SETTING} must look like postgres://user:password@127.0.0.1:5432/postgres"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 5432
    except ValueError:
        raise Unavailable(f"{wanted}.") from None
    if parts.scheme not in ("postgres", "postgresql") or not parts.username:
        raise Unavailable(f"{wanted}.")
    if host not in LOOPBACK:
        raise Unavailable(f"{wanted}: the local platform uses a PostgreSQL on this machine only.")
    database = unquote(parts.path.strip("/")) or "postgres"
    return Admin(host, port, unquote(parts.username), unquote(parts.password or ""), database)


def _there(host: str) -> tuple[str, str]:
    """Return libpq's host and hostaddr; without the latter PGHOSTADDR or PGSERVICE could name one elsewhere."""
    addresses = ("::1", "127.0.0.1") if host == "localhost" else (host,)
    return ",".join([host] * len(addresses)), ",".join(addresses)


_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def _create_database(server: AsyncConnection[Any], database: str, role: str) -> None:
    from psycopg import sql

    names = {"role": sql.Identifier(role), "database": sql.Identifier(database)}
    make = sql.SQL("CREATE DATABASE {database} OWNER {role} ENCODING 'UTF8' TEMPLATE template0")
    await server.execute(make.format(**names))
    await server.execute(sql.SQL("REVOKE ALL ON DATABASE {database} FROM PUBLIC").format(**names))


def _drop(database: str) -> Any:
    from psycopg import sql

    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))


async def _answer(server: AsyncConnection[Any], question: LiteralString) -> Any:
    row = await (await server.execute(question)).fetchone()
    return row[0] if row else None
