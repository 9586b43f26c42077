from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

PAUSE = threading.Event()


class Receiver:
    """Collects what is posted to it, on a free port."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[Any, bytes]] = queue.Queue()
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body, status = self.rfile.read(int(self.headers["Content-Length"])), receiver.status
                # Who gets it from here may change what is answered, to the next one.
                receiver.got.put((self.headers, body))
                self.send_response(status)
                self.send_header("Location", receiver.url + "elsewhere")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def next(self) -> Any:
        """Return the next payload."""
        return json.loads(self.got.get(timeout=60)[1])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def subscribe(local: Any, app: Any, url: str, *include: str, status: int = 201, **more: Any) -> Any:
    body = {"include": list(include), "level": "notify", "url": url, **more}
    return local.post(f"/apps/{app['id']}/webhooks", body, status)


def settled(local: Any, path: str, attempts: int = 1) -> Any:
    """Return the delivery that was tried that often, once there is one."""
    while not (tried := [row for row in local.get(path) if row["num_attempts"] == attempts]):
        PAUSE.wait(0.02)
    return tried[0]


def refused_once(local: Any, receiver: Receiver) -> str:
    """Let a first delivery of level sync fail; return the app's id."""
    app = local.app()
    subscribe(local, app, receiver.url, "api:app", level="sync")
    receiver.status = 500
    local.patch(f"/apps/{app['id']}", {"maintenance": True})
    receiver.next()
    settled(local, f"/apps/{app['id']}/webhook-deliveries")
    return str(app["id"])


def test_a_delivery_is_signed_over_its_very_bytes(local: Any, receiver: Receiver) -> None:
    app = local.app()
    subscribe(local, app, receiver.url, "api:release", secret="s3cret", authorization="Bearer mine")
    local.patch(f"/apps/{app['id']}/config-vars", {"A": "1"})
    headers, body = receiver.got.get(timeout=60)
    expected = base64.b64encode(hmac.digest(b"s3cret", body, hashlib.sha256)).decode()
    assert headers["Heroku-Webhook-Hmac-SHA256"] == expected
    assert headers["Authorization"] == "Bearer mine"
    assert headers["Content-Type"] == "application/json"


def test_a_release_comes_twice_and_in_order(local: Any, receiver: Receiver) -> None:
    app = local.app()
    hook = subscribe(local, app, receiver.url, "api:release")
    release = local.deploy(app, {"Procfile": "release: true\nworker: sleep 1000\n"})
    created, updated = receiver.next(), receiver.next()
    assert [(each["action"], each["data"]["status"]) for each in (created, updated)] == [
        ("create", "pending"),
        ("update", "succeeded"),
    ]
    assert updated["resource"] == "release"
    assert updated["data"]["id"] == release["id"]
    assert updated["data"]["current"] is True
    assert updated["data"]["slug"]["commit"] == "0123456789abcdef"
    assert updated["webhook_metadata"]["webhook"] == {"id": hook["id"]}
    assert updated["webhook_metadata"]["event"]["include"] == "api:release"


def test_builds_and_apps(local: Any, receiver: Receiver) -> None:
    app = local.app()
    subscribe(local, app, receiver.url, "api:build", "api:app")
    local.deploy(app, {"Procfile": "worker: sleep 1000\n"})
    local.patch(f"/apps/{app['id']}", {"maintenance": True})
    begun, built, changed = (receiver.next() for _ in range(3))
    assert (begun["resource"], begun["action"], begun["data"]["status"]) == ("build", "create", "pending")
    assert (built["action"], built["data"]["status"], built["data"]["release"]["version"]) == ("update", "succeeded", 3)
    assert (changed["resource"], changed["data"]["maintenance"]) == ("app", True)


def test_a_delivery_that_fails_is_not_repeated_and_stands_in_the_log(local: Any, receiver: Receiver) -> None:
    app = local.app()
    subscribe(local, app, receiver.url, "api:release")
    receiver.status = 302
    local.patch(f"/apps/{app['id']}/config-vars", {"A": "1"})
    assert receiver.next()["data"]["version"] == 3
    receiver.status = 200
    local.patch(f"/apps/{app['id']}/config-vars", {"A": "2"})
    assert receiver.next()["data"]["version"] == 3
    assert any("answered 302" in line for line in local.platform.logs.tail(app["id"]))


def test_a_sync_delivery_is_tried_until_it_succeeds_and_holds_later_ones_up(
    run_platform: Any, receiver: Receiver, tmp_path: Any, conforms: Any
) -> None:
    with run_platform(tmp_path / "data", webhook_pause=3600) as local:
        app = local.app()
        subscribe(local, app, receiver.url, "api:release", level="sync")
        receiver.status = 500
        local.patch(f"/apps/{app['id']}/config-vars", {"A": "1"})
        local.patch(f"/apps/{app['id']}/config-vars", {"A": "2"})
        assert receiver.next()["data"]["version"] == 3
        path = f"/apps/{app['id']}/webhook-deliveries"
        first = settled(local, path)
        conforms("app-webhook-delivery", first)
        assert (first["status"], first["num_attempts"], first["last_attempt"]["code"]) == ("retrying", 1, 500)
        receiver.status = 200
        local.loop.call_soon_threadsafe(local.platform.clock.advance, 3601)
        assert [receiver.next()["data"]["version"] for _ in range(4)] == [3, 3, 4, 4]
        first = local.get(f"{path}/{first['id']}")
        assert (first["status"], first["num_attempts"], first["next_attempt_at"]) == ("succeeded", 2, None)


def test_what_waits_to_be_delivered_outlives_the_platform(run_platform: Any, receiver: Receiver, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data", webhook_pause=3600) as local:
        refused_once(local, receiver)
    receiver.status = 200
    with run_platform(tmp_path / "data", webhook_pause=3600) as local:
        local.loop.call_soon_threadsafe(local.platform.clock.advance, 3601)
        assert receiver.next()["data"]["maintenance"] is True


def test_a_hook_that_fails_for_72_hours_gives_up(run_platform: Any, receiver: Receiver, tmp_path: Any) -> None:
    with run_platform(tmp_path / "data", webhook_pause=3600) as local:
        app_id = refused_once(local, receiver)
        local.loop.call_soon_threadsafe(local.platform.clock.advance, 73 * 3600)
        receiver.next()
        only = settled(local, f"/apps/{app_id}/webhook-deliveries", attempts=2)
        assert only["status"] == "failed"


def test_events_tell_what_changed_and_the_last_one_that_the_app_is_gone(
    local: Any, receiver: Receiver, conforms: Any
) -> None:
    app = local.app()
    subscribe(local, app, receiver.url, "api:app")
    for on in (True, False):
        local.patch(f"/apps/{app['id']}", {"maintenance": on})
        receiver.next()
    first, second = local.get(f"/apps/{app['id']}/webhook-events")
    conforms("app-webhook-event", second)
    assert second["payload"]["previous_data"] == {"maintenance": True}
    assert local.get(f"/apps/{app['id']}/webhook-events/{first['id']}") == first
    for kind in ("webhook-events", "webhook-deliveries"):
        local.call("GET", f"/apps/{app['id']}/{kind}/nothing", status=404)
    local.delete(f"/apps/{app['id']}")
    assert (gone := receiver.next())["action"] == "destroy"
    assert gone["data"]["id"] == app["id"]


def test_create_look_change_delete(local: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/webhooks"
    answer = local.http.post(path, json={"include": ["api:release"], "level": "sync", "url": "http://localhost:1/"})
    made = answer.json()
    assert answer.status_code == 201
    assert len(answer.headers["Heroku-Webhook-Secret"]) == 60
    assert set(made) == {"app", "created_at", "id", "include", "level", "updated_at", "url"}
    assert made["app"] == {"id": app["id"], "name": app["name"]}
    assert local.get(path) == [made]
    changed = local.patch(f"{path}/{made['id']}", {"include": ["api:build"], "level": "notify"})
    assert (changed["include"], changed["level"], changed["url"]) == (["api:build"], "notify", made["url"])
    assert local.get(f"{path}/{made['id']}") == changed
    assert local.delete(f"{path}/{made['id']}")["id"] == made["id"]
    local.call("GET", f"{path}/{made['id']}", status=404)
    assert local.get(path) == []


def test_what_cannot_be_a_webhook_is_refused(local: Any) -> None:
    app = local.app()
    good = "http://127.0.0.1:1/"
    assert "127.0.0.1" in subscribe(local, app, "http://example.com/", "api:release", status=422)["message"]
    assert "api:nothing" in subscribe(local, app, good, "api:nothing", status=422)["message"]
    subscribe(local, app, good, status=422)
    subscribe(local, app, good, "api:release", level="loud", status=422)
    subscribe(local, app, good, "api:release", secret="a\nb", status=422)
    for url in ("", "http://[::1/", "http://127.0.0.1:99999/"):
        subscribe(local, app, url, "api:release", status=422)
    for _ in range(10):
        subscribe(local, app, good, "dyno")
    assert "10 webhooks" in subscribe(local, app, good, "dyno", status=422)["message"]
