from __future__ import annotations

from typing import Any


def test_the_account_and_what_the_platform_offers(local: Any, conforms: Any) -> None:
    account = local.get("/account")
    conforms("account", account)
    assert local.get("/users/~") == account
    assert 0 < local.get("/account/rate-limits")["remaining"] <= 4500
    for resource, path in (("stack", "/stacks"), ("region", "/regions")):
        rows = local.get(path)
        for row in rows:
            conforms(resource, row)
            assert local.get(f"{path}/{row['name']}") == local.get(f"{path}/{row['id']}") == row
        local.call("GET", f"{path}/none-such", status=404)


def test_someone_else_is_not_here(local: Any) -> None:
    local.call("GET", "/users/other@example.com", status=404)


def test_features(local: Any, conforms: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/features"
    features = local.get(path)
    for feature in features:
        conforms("app-feature", feature)
    assert {feature["state"] for feature in features} == {"general", "public"}
    assert not feature["enabled"]
    assert local.patch(f"{path}/{feature['name']}", {"enabled": True})["enabled"]
    assert local.get(f"{path}/{feature['id']}")["enabled"]
    local.call("PATCH", f"{path}/{feature['name']}", {}, 422)
    local.call("GET", f"{path}/none-such", status=404)
    (own,) = local.get("/account/features")
    conforms("account-feature", own)
    assert local.get(f"/account/features/{own['name']}") == own
    assert not local.patch(f"/account/features/{own['id']}", {"enabled": False})["enabled"]
    assert not local.get(f"/account/features/{own['name']}")["enabled"]
    local.patch(f"/account/features/{own['id']}", {"enabled": True})


def test_lists_that_the_heroku_cli_reads_by_the_way_are_empty(local: Any) -> None:
    app = local.app()
    assert local.get("/teams") == []
    assert local.get(f"/apps/{app['id']}/addons") == []
    local.call("GET", "/apps/none-such/addons", status=404)
