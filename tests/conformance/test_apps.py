"""heroku apps:*, config:*, maintenance:*, stack, access, domains, features and labs."""

from __future__ import annotations

from typing import Any

import httpx


def test_an_app_from_create_to_destroy(heroku: Any, local: Any) -> None:
    assert "http://one.localhost" in heroku("apps:create", "one", "--region", "eu", "--stack", "heroku-22").stdout
    assert "Name is already taken" in heroku("apps:create", "one", check=False).stderr
    assert "one" in heroku("apps").stdout.split()
    info = heroku("apps:info", "-a", "one").stdout
    for line in ("Region:           eu", "Stack:            heroku-22", "Owner:            local@localhost"):
        assert " ".join(line.split()) in " ".join(info.split())
    heroku("apps:rename", "two", "-a", "one")
    assert local.get("/apps/two")["region"]["name"] == "eu"
    heroku("apps:destroy", "-a", "two", "--confirm", "two")
    gone = heroku("apps:info", "-a", "two", check=False)
    assert (gone.returncode, "Couldn't find that app." in gone.stderr) == (2, True)


def test_config_vars_make_releases(heroku: Any, local: Any) -> None:
    local.app("configured")
    done = heroku("config:set", "A=1", "B=two words", "-a", "configured")
    assert "done, v3" in done.stderr + done.stdout
    assert heroku("config:get", "B", "-a", "configured").stdout == "two words\n"
    heroku("config:unset", "B", "-a", "configured")
    assert heroku("config", "-a", "configured", "--json").stdout.split() == ["{", '"A":', '"1"', "}"]
    assert [row["description"] for row in local.get("/apps/configured/releases")[2:]] == [
        "Set A, B config vars",
        "Remove B config vars",
    ]


def test_maintenance_and_stack(heroku: Any, local: Any, source: Any) -> None:
    app = local.app("kept")
    local.deploy(app, source())
    heroku("maintenance:on", "-a", "kept")
    assert heroku("maintenance", "-a", "kept").stdout == "on\n"
    assert local.visit(app).status_code == 503
    heroku("maintenance:off", "-a", "kept")
    assert local.visit(app).status_code == 200
    assert "* heroku-24" in heroku("stack", "-a", "kept").stdout
    assert "You will need to redeploy" in heroku("stack:set", "heroku-22", "-a", "kept").stdout
    assert "(active on next deploy)" in heroku("stack", "-a", "kept").stdout
    local.deploy(app, source("more"))
    assert local.get("/apps/kept")["stack"]["name"] == "heroku-22"
    assert [row["description"] for row in local.get("/apps/kept/releases")[-2:]] == [
        "Upgrade stack to heroku-22",
        "Deploy 01234567",
    ]


def test_collaborators(heroku: Any, local: Any) -> None:
    local.app("shared")
    heroku("access:add", "bob@example.com", "-a", "shared")
    assert "already" in heroku("access:add", "bob@example.com", "-a", "shared", check=False).stderr
    assert "bob@example.com" in heroku("access", "-a", "shared").stdout
    assert "bob@example.com" in heroku("apps:info", "-a", "shared").stdout
    heroku("access:remove", "bob@example.com", "-a", "shared")
    assert [row["role"] for row in local.get("/apps/shared/collaborators")] == ["owner"]


def test_a_custom_domain_is_routed(heroku: Any, local: Any, source: Any) -> None:
    app = local.app("named")
    local.deploy(app, source("by any name"))
    added = heroku("domains:add", "www.example.com", "-a", "named", "--wait").stdout
    assert "DNS Target named.localhost" in added
    assert "www.example.com" in heroku("domains", "-a", "named").stdout
    here = {"Host": "www.example.com"}
    assert httpx.get(local.url, headers=here, timeout=60).text.startswith("by any name")
    heroku("domains:remove", "www.example.com", "-a", "named")
    assert httpx.get(local.url, headers=here).status_code == 403
    refused = heroku("domains:add", "localhost", "-a", "named", check=False)
    assert refused.returncode != 0


def test_features_and_labs(heroku: Any, local: Any) -> None:
    local.app("fancy")
    heroku("features:enable", "preboot", "-a", "fancy")
    assert "[+] preboot" in heroku("features", "-a", "fancy").stdout
    heroku("features:disable", "preboot", "-a", "fancy")
    heroku("labs:enable", "runtime-dyno-metadata", "-a", "fancy")
    shown = heroku("labs", "-a", "fancy").stdout
    assert "[+] runtime-dyno-metadata" in shown
    assert "[+] dashboard-repositories-api" in shown
    heroku("labs:disable", "dashboard-repositories-api")
    assert not local.get("/account/features/dashboard-repositories-api")["enabled"]
    heroku("labs:enable", "dashboard-repositories-api")
