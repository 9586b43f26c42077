"""Who waits for something to happen hears every write, and nothing while there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa
from support.deliveries import event

from herodeploy.errors import StoreError
from herodeploy.store.store import Store

WRITE = """
import sys
from datetime import UTC, datetime
from herodeploy.domain.event import Event
from herodeploy.store.store import Store
store = Store.open(sys.argv[1])
store.record_event(Event(datetime.now(UTC), "p1", "written", "bob", "written"))
store.close()
"""


def test_it_rings_once_for_each_write_and_is_silent_otherwise(store: Store) -> None:
    bell = store.bell()
    assert not bell.wait(0)
    for word in ("one", "two"):
        store.record_event(event(word))
        assert bell.wait(60)
        assert not bell.wait(0)
    store.events("p1")
    assert not bell.wait(0), "reading is no news"
    bell.close()


def test_it_rings_for_another_process_while_it_is_waited_for(store: Store, url: str) -> None:
    bell = store.bell()
    with subprocess.Popen([sys.executable, "-c", WRITE, url]) as writer:
        assert bell.wait(60)
    assert writer.returncode == 0
    bell.close()


def test_a_server_that_ends_the_connection_is_told(postgres_url: str) -> None:
    store = Store.open(postgres_url)
    bell = store.bell()
    engine = sa.create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))
    engine.dispose()
    with pytest.raises(StoreError, match="can be heard no more"):
        list(iter(lambda: bell.wait(60), None))
    bell.close()
    store.close()
