"""heroku releases:*."""

from __future__ import annotations

from typing import Any

RELEASE = 'release: echo "migrating $GREETING"; test "$GREETING" != bad\n'


def test_releases_and_the_way_back(heroku: Any, local: Any, source: Any) -> None:
    app = local.app("versions")
    files = source("first")
    files["Procfile"] += RELEASE
    local.patch("/apps/versions/config-vars", {"GREETING": "hi"})
    local.deploy(app, files)
    local.settled(app, local.deploy(app, files | {"other": "file"}, "fedcba9876543210")["id"])
    shown = heroku("releases", "-a", "versions").stdout
    assert [line.split()[:3] for line in shown.splitlines() if line.strip().startswith("v")][1:] == [
        ["v5", "Deploy", "fedcba98"],
        ["v4", "Deploy", "01234567"],
        ["v3", "Set", "GREETING"],
        ["v2", "Enable", "Logplex"],
        ["v1", "Initial", "release"],
    ]
    info = heroku("releases:info", "v4", "-a", "versions").stdout
    assert "=== Release v4" in info
    assert "GREETING: hi" in info
    assert heroku("releases:output", "-a", "versions").stdout == "migrating hi\n"
    assert "Release v3 has no release output available." in heroku("releases:output", "v3", "-a", "versions").stderr
    back = heroku("releases:rollback", "-a", "versions")
    assert "migrating hi" in back.stdout
    assert local.current(app)["description"] == "Rollback to v4"
    refused = heroku("releases:rollback", "v2", "-a", "versions", check=False)
    assert refused.returncode == 2


def test_a_failed_release_is_retried(heroku: Any, local: Any, source: Any) -> None:
    app = local.app("again")
    files = source("first")
    files["Procfile"] += RELEASE
    local.deploy(app, files)
    local.patch("/apps/again/config-vars", {"GREETING": "bad"})
    newest = local.get("/apps/again/releases")[-1]
    assert local.settled(app, newest["id"])["status"] == "failed"
    local.http.patch("/apps/again/config-vars", json={"GREETING": "good"})
    local.settled(app, local.get("/apps/again/releases")[-1]["id"])
    heroku("releases:retry", "-a", "again")
    newest = local.get("/apps/again/releases")[-1]
    assert newest["description"] == "Retry of v5: Set GREETING config vars"
    assert local.settled(app, newest["id"])["status"] == "succeeded"
    assert "release command failed" in heroku("releases", "-a", "again").stdout
