from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Source = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def app(local: Any, source: Source) -> Any:
    """One deployed app for this file."""
    made = local.app("formation-app")
    local.deploy(made, source(Procfile="web: python3 serve.py\nworker: echo working; exec sleep 60\n"))
    local.visit(made)
    return made


def test_a_dyno_and_a_formation_are_shown_as_heroku_shows_them(local: Any, app: Any, conforms: Any) -> None:
    (dyno,) = local.get(f"/apps/{app['id']}/dynos")
    conforms("dyno", dyno)
    assert (dyno["name"], dyno["state"], dyno["release"]["version"]) == ("web.1", "up", 3)
    assert local.get(f"/apps/{app['id']}/dynos/web.1") == local.get(f"/apps/{app['id']}/dynos/{dyno['id']}") == dyno
    for row in local.get(f"/apps/{app['id']}/formation"):
        conforms("formation", row)
        assert local.get(f"/apps/{app['id']}/formation/{row['type']}") == row


@pytest.mark.parametrize(("wanted", "quantity"), [(2, 2), ("1", 1), ("+1", 2), ("-1", 0), ("0", 0)])
def test_quantities_in_every_form_that_clients_send(local: Any, app: Any, wanted: Any, quantity: int) -> None:
    """Each begins with one worker and leaves none: the cases run in any order, in several processes."""

    def scale(to: Any) -> Any:
        updates = [{"type": "worker", "quantity": to, "size": None}]
        return local.patch(f"/apps/{app['id']}/formation", {"updates": updates})[0]

    scale(1)
    row = scale(wanted)
    assert (row["type"], row["quantity"]) == ("worker", quantity)
    names = {dyno["name"] for dyno in local.get(f"/apps/{app['id']}/dynos")}
    scale(0)
    assert names == {"web.1", *(f"worker.{number}" for number in range(1, quantity + 1))}


def test_sizes_are_taken_in_lower_case_and_as_dyno_size(local: Any, app: Any) -> None:
    path = f"/apps/{app['id']}/formation"
    (row,) = local.patch(path, {"updates": [{"type": "worker", "size": "standard-2x"}]})
    assert (row["size"], row["quantity"]) == ("Standard-2X", 0)
    assert local.patch(f"{path}/worker", {"dyno_size": {"name": "basic"}})["size"] == "Basic"


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ({"type": "nope", "quantity": 1}, 404),
        ({"type": "worker", "quantity": "many"}, 422),
        ({"type": "worker", "quantity": -1}, 422),
        ({"type": "worker", "quantity": 101}, 422),
        ({"type": "worker", "quantity": True}, 422),
        ({"type": "worker", "size": "huge"}, 422),
    ],
)
def test_one_bad_update_changes_nothing(local: Any, app: Any, update: dict[str, Any], status: int) -> None:
    before = local.get(f"/apps/{app['id']}/formation")
    updates = [{"type": "web", "quantity": 5}, update]
    local.call("PATCH", f"/apps/{app['id']}/formation", {"updates": updates}, status)
    assert local.get(f"/apps/{app['id']}/formation") == before
    local.call("PATCH", f"/apps/{app['id']}/formation", {"updates": "web=1"}, 422)


def test_a_restarted_dyno_is_a_new_one(local: Any, app: Any) -> None:
    for path in ("dynos", "dynos/web.1", "formations/web"):
        before = local.get(f"/apps/{app['id']}/dynos/web.1")["id"]
        local.delete(f"/apps/{app['id']}/{path}", 202)
        assert local.visit(app).status_code == 200
        assert local.get(f"/apps/{app['id']}/dynos/web.1")["id"] != before
    local.delete(f"/apps/{app['id']}/dynos/web.9", 404)


def test_a_one_off_dyno_writes_into_the_log(local: Any, app: Any, conforms: Any) -> None:
    body = {"command": 'echo "one-off $WORD in $DYNO"', "env": {"WORD": "works"}, "type": "run"}
    session = local.post(f"/apps/{app['id']}/log-sessions", {"tail": True, "lines": 0})
    conforms("log-session", session)
    with httpx.stream("GET", session["logplex_url"], timeout=30) as stream:
        dyno = local.post(f"/apps/{app['id']}/dynos", body)
        lines = stream.iter_lines()
        assert next(line for line in lines if "one-off" in line and "app[run." in line).endswith(
            f"one-off works in {dyno['name']}"
        )
    conforms("dyno", dyno)


def test_dynos_without_code_are_refused(local: Any, app: Any) -> None:
    local.post(f"/apps/{app['id']}/dynos", {}, 422)
    local.post(f"/apps/{app['id']}/dynos", {"command": "ls", "time_to_live": 0}, 422)
    local.post(f"/apps/{local.app()['id']}/dynos", {"command": "ls"}, 422)


def test_logs_are_filtered_and_sent_as_events_too(local: Any, app: Any) -> None:
    path = f"/apps/{app['id']}/log-sessions"
    own = local.read(local.post(path, {"lines": 1500, "source": "app", "dyno": "api"})["logplex_url"])
    assert own
    assert all(" app[api]: " in line for line in own.splitlines())
    last = local.post(path, {"lines": 1, "dyno_name": "api"})["logplex_url"]
    assert local.read(last) == own.splitlines(keepends=True)[-1]
    events = httpx.get(last, headers={"Accept": "text/event-stream"}).text
    assert events == f"id: 1\ndata: {own.splitlines()[-1]}\n\n"
    local.post(path, {"lines": "all"}, 422)
    assert httpx.get(f"{local.url}/log-streams/none").status_code == 404


def test_stopping_and_maintenance(local: Any, app: Any) -> None:
    local.patch(f"/apps/{app['id']}", {"maintenance": True})
    assert local.visit(app).status_code == 503
    local.patch(f"/apps/{app['id']}", {"maintenance": False})
    assert local.visit(app).status_code == 200
    local.call("POST", f"/apps/{app['id']}/dynos/web.1/actions/stop", None, 202)


def test_metadata_is_given_where_it_is_switched_on(local: Any, source: Source) -> None:
    app = local.app("meta-app")
    local.patch(f"/apps/{app['id']}/features/runtime-dyno-metadata", {"enabled": True})
    serve = source()["serve.py"].replace('"GREETING"', '"HEROKU_SLUG_COMMIT"')
    local.deploy(app, source() | {"serve.py": serve}, "cafe0123")
    assert local.visit(app).text == "hello cafe0123 /"
