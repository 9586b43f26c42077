from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from herodeploy.engine.worker_lock import WorkerLock
from herodeploy.errors import Busy, StoreError

HOLD = """
import sys
from herodeploy.engine.worker_lock import WorkerLock
lock = WorkerLock(sys.argv[1], "p1")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
lock.release()
"""

WAIT = """
import sys
from datetime import timedelta
from herodeploy.engine.worker_lock import WorkerLock
WorkerLock(sys.argv[1], "p1").acquire(timedelta(hours=1), lambda text: print(text, flush=True))
"""


LEASE = "6"
"""In seconds. Who lives must show it within three quarters of that, on a busy machine, too."""


def holder(where: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_process_at_a_time_and_the_error_names_it(database: str) -> None:
    with holder(database) as process:
        with pytest.raises(Busy, match=rf"\(process {process.pid}\b") as caught:
            WorkerLock(database, "p1").acquire()
        assert "herodeploy resume" in str(caught.value.hint)
        with WorkerLock(database, "p2"):
            pass
        process.communicate("")
    with WorkerLock(database, "p1") as lock:
        lock.check()


def test_a_killed_holder_holds_nothing(database: str) -> None:
    with holder(database) as process:
        process.kill()
        process.wait()
        # PostgreSQL notices a lost client a moment later than the kernel frees a file lock.
        while True:
            try:
                with WorkerLock(database, "p1"):
                    return
            except Busy:
                threading.Event().wait(0.05)


def test_the_post_is_held_beside_the_turn_and_tells_by_whom(database: str) -> None:
    with WorkerLock(database, "p1"):
        assert WorkerLock(database, "p1", "post").holder() is None
        with WorkerLock(database, "p1", "post") as post:
            for held in (post, WorkerLock(database, "p1", "post"), WorkerLock(database, "p1")):
                assert str(held.holder()).startswith(f"process {os.getpid()}")
            assert WorkerLock(database, "p2", "post").holder() is None
            with pytest.raises(Busy):
                WorkerLock(database, "p1", "post").acquire()


def test_the_same_process_cannot_take_it_twice(database: str) -> None:
    with WorkerLock(database, "p1") as first:
        with pytest.raises(Busy, match=str(os.getpid())):
            WorkerLock(database, "p1").acquire()
        first.check()
    with WorkerLock(database, "p1"), pytest.raises(Busy, match="was lost"):
        first.check()


def test_a_lock_that_the_database_dropped_is_noticed(postgres_url: str) -> None:
    lock = WorkerLock(postgres_url, "p1")
    lock.acquire()
    engine = sa.create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'herodeploy %'"
        connection.execute(sa.text(query))
    engine.dispose()
    with pytest.raises(Busy, match="was lost together with the connection"):
        lock.check()
    lock.release()


def test_one_that_gives_no_sign_of_life_is_replaced_and_ends_when_it_wakes(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERODEPLOY_LEASE", LEASE)
    frozen = holder(postgres_url)
    frozen.send_signal(signal.SIGSTOP)
    rival = WorkerLock(postgres_url, "p1")
    while True:
        try:
            rival.acquire()
            break
        except Busy:
            threading.Event().wait(0.1)
    rival.check()
    frozen.send_signal(signal.SIGCONT)
    assert frozen.wait() == 3
    frozen.communicate()
    rival.check()
    rival.release()


def test_one_that_lives_keeps_it_longer_than_a_lease(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERODEPLOY_LEASE", LEASE)
    with holder(postgres_url) as process:
        engine = sa.create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.connect() as connection:
            connection.execute(sa.text(f"SELECT pg_sleep({LEASE} + 0.5)"))
        engine.dispose()
        with pytest.raises(Busy, match=str(process.pid)):
            WorkerLock(postgres_url, "p1").acquire()
        process.communicate("")


def test_a_lease_is_a_number(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERODEPLOY_LEASE", "soon")
    with pytest.raises(StoreError, match="HERODEPLOY_LEASE is no number of seconds: soon"):
        WorkerLock(postgres_url, "p1")


def test_where_the_folder_is_given_the_lock_lies_below_it(tmp_path: Path) -> None:
    with WorkerLock(tmp_path, "../odd name"):
        assert [file.suffix for file in (tmp_path / "engine").iterdir()] == [".lock"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        WorkerLock(tmp_path, "p1").acquire()


def test_a_server_that_does_not_answer_is_told_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="no worker lock from the database") as caught:
        WorkerLock("postgres://user:s3cret@127.0.0.1:1/shop", "p1").acquire()
    assert "s3cret" not in str(caught.value)


def test_who_is_ready_to_wait_is_told_who_has_it_and_gets_it_next(database: str) -> None:
    first = WorkerLock(database, "p1")
    told: list[str] = []
    first.acquire()

    def hear(text: str) -> None:
        told.append(text)
        # Given back only once the other one is about to wait, or waits.
        threading.Thread(target=first.release).start()

    second = WorkerLock(database, "p1")
    second.acquire(timedelta(minutes=1), hear)
    assert told == [f"another herodeploy (process {myself(database)}) works on this pipeline"]
    second.check()
    with pytest.raises(Busy):
        WorkerLock(database, "p1").acquire()
    second.release()


def test_who_waited_in_vain_is_told_and_takes_nothing_later(database: str) -> None:
    with WorkerLock(database, "p1") as first:
        late = WorkerLock(database, "p1")
        with pytest.raises(Busy, match="works on this pipeline, still"):
            late.acquire(timedelta(milliseconds=50))
        first.check()
    after = WorkerLock(database, "p1")
    after.acquire(timedelta(minutes=1))
    after.check()
    after.release()


def test_ctrl_c_ends_the_waiting(database: str) -> None:
    with WorkerLock(database, "p1"):
        process = subprocess.Popen(
            [sys.executable, "-c", WAIT, database], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith("another herodeploy")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert said.splitlines()[-1] == "KeyboardInterrupt"


def myself(database: str) -> str:
    """Return this process as the lock names it."""
    return f"{os.getpid()}@{socket.gethostname()}" if database.startswith("postgres") else str(os.getpid())


def test_one_that_was_given_back_is_free_though_children_are_being_started(tmp_path: Path) -> None:
    ended = threading.Event()

    def spawn() -> None:
        while not ended.is_set():
            # A folder to change to lets Python fork, as for everything that herodeploy runs in one.
            subprocess.run(["true"], check=True, start_new_session=True, cwd="/")

    threads = [threading.Thread(target=spawn) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20_000):
            with WorkerLock(tmp_path, "pipeline"):
                pass
    finally:
        ended.set()
        for thread in threads:
            thread.join()
