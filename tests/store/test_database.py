from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext

from herodeploy.errors import StoreError, UsageError
from herodeploy.store import schema, upgrade
from herodeploy.store.store import Store


def test_without_an_address_the_file_is_in_the_state_folder_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = Store.open()
    store.mode("p1")
    file = tmp_path / "herodeploy" / "herodeploy.db"
    assert store.place == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o600 for f in file.parent.iterdir())
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    store.close()


def test_a_relative_state_home_is_ignored_as_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    store = Store.open()
    store.close()
    assert store.place == f"{tmp_path}/.local/state/herodeploy/herodeploy.db"


def test_the_environment_names_another_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERODEPLOY_DATABASE_URL", f"sqlite:///{tmp_path}/a b/other.db")
    store = Store.open(state_dir=tmp_path / "unused")
    store.close()
    assert (tmp_path / "a b" / "other.db").exists()
    assert not (tmp_path / "unused").exists()


def test_the_migrations_lead_to_the_tables_that_the_store_uses(url: str) -> None:
    store = Store.open(url)
    engine = sa.create_engine(store.url)
    with engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert alembic.autogenerate.compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    engine.dispose()
    store.close()
    assert upgrade.scripts().get_heads() == [schema.HEAD]


def test_many_that_open_a_new_database_at_once_migrate_it_once(url: str) -> None:
    barrier = threading.Barrier(5)
    failures: list[Exception] = []

    def start() -> None:
        barrier.wait()
        try:
            Store.open(url).close()
        except Exception as error:  # noqa: BLE001 - any is a failure
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_database_at_the_newest_schema_is_opened_without_alembic(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from herodeploy.store.store import Store;"
        f"Store.open(state_dir=Path({str(tmp_path)!r})).close(); print('alembic' in sys.modules)"
    )
    runs = [subprocess.check_output([sys.executable, "-c", script], text=True).strip() for _ in range(2)]
    assert runs == ["True", "False"]


def test_a_database_of_a_newer_herodeploy_is_left_alone(url: str) -> None:
    Store.open(url).close()
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="written by a newer herodeploy") as caught:
        Store.open(url)
    assert "upgrade herodeploy" in str(caught.value.hint)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "herodeploy.db").write_text("no database at all, but long enough to be looked at" * 30)
    with pytest.raises(StoreError, match=r"herodeploy.db cannot be used: file is not a database") as caught:
        Store.open(state_dir=tmp_path)
    assert "move that file away" in str(caught.value.hint)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*state.herodeploy.db") as caught:
        Store.open(state_dir=tmp_path / "state")
    assert "XDG_STATE_HOME" in str(caught.value.hint)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Permission denied"):
        Store.open(state_dir=tmp_path / "state")


@pytest.mark.parametrize("url", ["mysql://u:s3cret@h/d", "sqlite://", "sqlite:///:memory:", "s3cret"])
def test_addresses_that_cannot_be_used_are_named_without_their_password(url: str) -> None:
    with pytest.raises(UsageError, match="HERODEPLOY_DATABASE_URL") as caught:
        Store.open(url)
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"postgresql://127\.0\.0\.1:1/shop cannot be used") as caught:
        Store.open("postgres://user:s3cret@127.0.0.1:1/shop")
    seen = f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert "s3cret" not in seen


def test_a_writer_that_is_killed_leaves_all_or_nothing(tmp_path: Path) -> None:
    script = f"""
import os
from datetime import UTC, datetime
from pathlib import Path
from herodeploy.domain.event import Event
from herodeploy.store.store import Store
store = Store.open(state_dir=Path({str(tmp_path)!r}))
event = Event(datetime.now(UTC), "p1", "kept", "me", "done")
store.record_event(event)
with store._db.write() as tx:
    from herodeploy.store import schema
    tx.execute(schema.events.insert().values(at=event.at, pipeline_id="p1", kind="lost", actor="", text="", data={{}}))
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    store = Store.open(state_dir=tmp_path)
    assert [event.kind for event in store.events("p1")] == ["kept"]
    store.close()
