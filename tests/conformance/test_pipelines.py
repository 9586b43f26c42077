"""heroku pipelines:* and ci:config*."""

from __future__ import annotations

from typing import Any

RELEASE = 'release: echo "migrating $GREETING"; test "$GREETING" != bad\n'


def coupled(heroku: Any, local: Any, source: Any, name: str) -> dict[str, Any]:
    """Make a pipeline of a deployed staging app and two production apps."""
    apps = {stage: local.app(f"{name}-{stage}") for stage in ("staging", "eu", "us")}
    files = source("promoted")
    files["Procfile"] += RELEASE
    local.deploy(apps["staging"], files)
    heroku("pipelines:create", name, "-a", f"{name}-staging", "-s", "staging")
    for region in ("eu", "us"):
        heroku("pipelines:add", name, "-a", f"{name}-{region}", "-s", "production")
    return apps


def test_a_pipeline_from_create_to_destroy(heroku: Any, local: Any, source: Any) -> None:
    coupled(heroku, local, source, "shop")
    again = heroku("pipelines:add", "shop", "-a", "shop-eu", "-s", "staging", check=False)
    assert again.returncode == 2
    assert "already" in again.stderr
    shown = heroku("pipelines:info", "shop").stdout
    assert "owner: local@localhost" in shown
    assert [line.split() for line in shown.splitlines() if line.startswith("  shop")] == [
        ["shop-staging", "staging"],
        ["shop-eu", "production"],
        ["shop-us", "production"],
    ]
    heroku("pipelines:update", "-a", "shop-us", "-s", "development")
    heroku("pipelines:rename", "shop", "store")
    assert "store" in heroku("pipelines").stdout
    local.post("/apps/shop-eu/collaborators", {"user": "bob@example.com"})
    heroku("pipelines:transfer", "bob@example.com", "-p", "store", "--confirm", "store")
    (pipeline,) = local.get("/pipelines?eq[name]=store")
    assert pipeline["owner"]["id"] == local.get("/users/bob@example.com")["id"]
    nobody = heroku("pipelines:transfer", "eve@example.com", "-p", "store", "--confirm", "store", check=False)
    assert "Cannot find a team or account" in nobody.stderr
    heroku("pipelines:remove", "-a", "shop-us")
    heroku("pipelines:destroy", "store")
    assert "Pipeline not found" in heroku("pipelines:info", "store", check=False).stderr


def test_promoting(heroku: Any, local: Any, source: Any) -> None:
    apps = coupled(heroku, local, source, "ship")
    slug = local.current(apps["staging"])["slug"]
    one = heroku("pipelines:promote", "-a", "ship-staging", "--to", "ship-eu")
    assert "migrating" in one.stdout
    assert "ship-eu: succeeded" in one.stdout
    assert local.current(apps["eu"])["slug"] == slug
    local.patch("/apps/ship-us/config-vars", {"GREETING": "bad"})
    many = heroku("pipelines:promote", "-a", "ship-staging", check=False)
    assert many.returncode == 1
    assert "ship-eu: succeeded" in many.stdout
    assert "ship-us: failed" in many.stdout
    assert "release command failed" in many.stdout
    assert local.current(apps["us"])["slug"] is None
    nowhere = heroku("pipelines:promote", "-a", "ship-eu", check=False)
    assert nowhere.returncode != 0


def test_config_vars_of_the_tests(heroku: Any, local: Any) -> None:
    local.post("/pipelines", {"name": "tested"})
    heroku("ci:config:set", "A=1", "B=2", "-p", "tested")
    assert heroku("ci:config:get", "B", "-p", "tested").stdout == "2\n"
    heroku("ci:config:unset", "B", "-p", "tested")
    assert "A: 1" in heroku("ci:config", "-p", "tested").stdout
    assert "tested pipeline" in heroku("ci", "-p", "tested").stdout
