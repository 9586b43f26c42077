"""What is ordered to go wrong does, as often as was said, and nothing else."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing
from typing import Any

import httpx
import pytest

from herodeploy.local.rehearsal.client import Control, Refused
from herodeploy.local.rehearsal.faults import Fault, Faults

PAUSE = threading.Event()


@pytest.fixture
def control(local: Any) -> Any:
    control = Control(local.url, local.platform.control_token)
    yield control
    control.clear_faults()


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("delinquent", 402, "application/json"),
        ("forbidden", 403, "application/json"),
        ("gone", 410, "application/json"),
        ("rate-limit", 429, "application/json"),
        ("error", 500, "application/json"),
        ("unavailable", 503, "text/html; charset=utf-8"),
    ],
)
def test_replies_in_place_of_the_action(local: Any, control: Control, kind: str, status: int, content: str) -> None:
    control.fault(kind, "POST /apps", count=2)
    for _ in range(2):
        answer = local.http.post("/apps", json={"name": "not-made"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, content)
        assert answer.headers["Request-Id"]
    assert [app["name"] for app in local.get("/apps")].count("not-made") == 0
    local.delete(f"/apps/{local.app('not-made')['id']}")
    assert control.faults()[0]["struck"] == 2


def test_the_connection_is_reset_before_or_after_the_action(local: Any, control: Control) -> None:
    for kind, made in (("reset-before", False), ("reset-after", True)):
        control.fault(kind, "POST /apps")
        with pytest.raises(httpx.HTTPError):
            local.http.post("/apps", json={"name": kind})
        assert (kind in {app["name"] for app in local.get("/apps")}) is made
    assert [each["status"] for each in control.requests() if each["fault"] == "reset-after"] == [0]


def test_a_late_reply_and_one_that_stalls(local: Any, control: Control) -> None:
    control.fault("latency", "GET /account", seconds=0.2)
    assert local.get("/account")["email"]
    late = control.requests()[-1]
    assert late["milliseconds"] >= 200
    assert late["fault"] == "latency"
    control.fault("stall", "GET /account", bytes=10)
    with closing(http.client.HTTPConnection("127.0.0.1", httpx.URL(local.url).port, timeout=60)) as connection:
        connection.request("GET", "/account", headers=dict(local.http.headers))
        answer = connection.getresponse()
        assert len(answer.read(10)) == 10
        connection.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            answer.read(1)


def test_a_build_a_release_phase_and_a_boot_that_fail(local: Any, control: Control, source: Any) -> None:
    app = local.app()
    control.fault("build", app["name"])
    build = local.build(app, source())
    assert build["status"] == "failed"
    assert "a fault was ordered" in build["output"]
    control.fault("release", app["name"])
    release = local.deploy(app, source() | {"Procfile": "web: python3 serve.py\nrelease: true\n"})
    assert release["status"] == "failed"
    control.fault("dyno", app["name"])
    local.deploy(app, source())
    while local.get(f"/apps/{app['id']}/dynos")[0]["state"] != "crashed":
        PAUSE.wait(0.02)
    local.deploy(app, source())
    assert local.visit(app).status_code == 200


def test_other_apps_and_other_routes_are_left_alone(local: Any, control: Control, source: Any) -> None:
    app = local.app()
    control.fault("build", "another-app")
    control.fault("error", "GET /apps/{app}")
    assert local.build(app, source())["status"] == "succeeded"
    assert local.http.get(f"/apps/{app['id']}/builds").status_code == 200
    assert local.http.get(f"/apps/{app['id']}").status_code == 500
    assert local.http.get(f"/apps/{app['id']}").status_code == 200


def test_a_seed_repeats_the_same_chance() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults()
        faults.add(Fault("error", probability=0.5, count=None, seed=seed))
        return [faults.for_request("GET", "/apps") is not None for _ in range(50)]

    assert struck(1) == struck(1) != struck(2)
    assert 5 < sum(struck(1)) < 45


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "nonsense"}, "kind must be one of"),
        ({"kind": "error", "route": "apps"}, "route must look like"),
        ({"kind": "error", "probability": 0}, "probability"),
        ({"kind": "error", "count": 0}, "count"),
        ({"kind": "error", "count": "1"}, "count must be int"),
        ({"kind": "error", "secondz": 1}, "There is no 'secondz'"),
        ({"kind": "latency", "seconds": -1}, "negative"),
    ],
)
def test_what_cannot_be_a_fault_is_refused(control: Control, options: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        control.fault(**options)
    assert control.faults() == []


def test_the_control_api_wants_its_own_token(local: Any) -> None:
    assert local.http.get("/_local/control/faults").status_code == 401
    with pytest.raises(Refused, match="Invalid credentials"):
        Control(local.url, local.platform.token).reset()
    bearer = {"Authorization": f"Bearer {local.platform.control_token}"}
    assert local.http.get("/apps", headers=bearer).status_code == 401
    assert (local.data / "control-token").stat().st_mode & 0o777 == 0o600


def test_withdrawing_one_fault(control: Control) -> None:
    first, second = control.fault("error"), control.fault("latency")
    control.clear_faults(first["id"])
    assert [each["id"] for each in control.faults()] == [second["id"]]
    with pytest.raises(Refused, match="Couldn't find that fault"):
        control.clear_faults(first["id"])
