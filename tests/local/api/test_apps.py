from __future__ import annotations

from typing import Any

import pytest


def test_a_new_app(local: Any, conforms: Any) -> None:
    app = local.app("shop-staging")
    conforms("app", app)
    assert app["name"] == "shop-staging"
    assert app["web_url"] == f"http://shop-staging.localhost:{local.url.rpartition(':')[2]}/"
    assert local.get("/apps/shop-staging") == local.get(f"/apps/{app['id']}") == app
    rows = local.get("/apps/shop-staging/releases")
    assert [(row["version"], row["description"], row["current"]) for row in rows] == [
        (1, "Initial release", False),
        (2, "Enable Logplex", True),
    ]


def test_an_app_without_a_name_gets_one(local: Any, conforms: Any) -> None:
    first, second = local.app(), local.app()
    conforms("app", first)
    assert first["name"] != second["name"]


def test_a_taken_name_is_refused_with_the_sentence_that_clients_look_for(local: Any) -> None:
    local.app("taken-name")
    assert local.post("/apps", {"name": "taken-name"}, 422) == {
        "id": "invalid_params",
        "message": "Name is already taken",
    }


@pytest.mark.parametrize("name", ["ab", "9lives", "Shop", "a_b_c", "shop-", "a" * 31, "shop.eu", "-shop"])
def test_a_name_that_heroku_refuses_is_refused(local: Any, name: str) -> None:
    assert local.post("/apps", {"name": name}, 422)["message"].startswith("Name must be")


def test_stacks_and_regions_must_exist(local: Any) -> None:
    assert "heroku-1900" in local.post("/apps", {"stack": "heroku-1900"}, 422)["message"]
    assert local.post("/apps", {"stack": "cedar", "region": "eu"})["region"]["name"] == "eu"


def test_lists_come_in_pages_and_a_filter_gives_all(local: Any) -> None:
    apps = [local.app() for _ in range(3)]
    first = local.http.get("/apps", headers={"Range": "name ..; max=1"})
    assert first.status_code == 206
    rest = local.http.get("/apps", headers={"Range": first.headers["Next-Range"].replace("max=1", "max=1000")})
    names = [app["name"] for app in first.json() + rest.json()]
    assert names == sorted(names)
    assert {app["name"] for app in apps} <= set(names)
    ids = [app["id"] for app in apps]
    found = local.post("/filters/apps", {"in": {"id": [*ids, "01234567-89ab-cdef-0123-456789abcdef"]}}, 200)
    assert [app["id"] for app in found] == ids
    local.post("/filters/apps", {}, 422)
    assert {app["id"] for app in local.get("/users/~/apps")} >= set(ids)


def test_renaming_moves_the_app_to_its_new_name(local: Any) -> None:
    app = local.app("old-name")
    assert local.patch("/apps/old-name", {"name": "new-name"})["id"] == app["id"]
    local.call("GET", "/apps/old-name", status=404)
    local.call("PATCH", "/apps/new-name", {"name": "Bad"}, 422)
    assert local.get("/apps/new-name")["web_url"].startswith("http://new-name.localhost:")


def test_a_destroyed_app_is_gone_and_its_name_is_free(local: Any) -> None:
    app = local.app("short-lived")
    assert local.delete("/apps/short-lived")["id"] == app["id"]
    local.call("GET", f"/apps/{app['id']}", status=404)
    assert local.app("short-lived")["id"] != app["id"]


def test_nothing_can_begin_on_an_app_that_is_going(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its port takes a moment to close; a build begun in that moment would bring the app back."""
    app, seen = local.app(), []
    close_port = local.platform.close_port

    async def close(record: Any) -> None:
        seen.append(local.platform.app_named(app["name"]))
        await close_port(record)

    monkeypatch.setattr(local.platform, "close_port", close)
    local.delete(f"/apps/{app['id']}")
    assert seen == [None]


def test_buildpacks(local: Any, conforms: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/buildpack-installations"
    assert local.get(path) == []
    wanted = {"updates": [{"buildpack": "heroku/nodejs"}, {"buildpack": "https://example.com/pack.git"}]}
    rows = local.call("PUT", path, wanted)
    for row in rows:
        conforms("buildpack-installation", row)
    assert [(row["ordinal"], row["buildpack"]["url"]) for row in rows] == [
        (0, "heroku/nodejs"),
        (1, "https://example.com/pack.git"),
    ]
    assert local.get(path) == rows
    local.call("PUT", path, {"updates": [{}]}, 422)
    local.call("PUT", path, {}, 422)
