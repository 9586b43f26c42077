"""heroku buildpacks:*, and what a plugin for builds calls."""

from __future__ import annotations

from typing import Any

OF_A_FRIEND = "https://example.com/friend/heroku-buildpack-x.git"


def test_buildpacks(heroku: Any, local: Any) -> None:
    local.app("packed")
    heroku("buildpacks:set", "heroku/python", "-a", "packed")
    heroku("buildpacks:add", "--index", "1", "heroku/nodejs", "-a", "packed")
    heroku("buildpacks:add", OF_A_FRIEND, "-a", "packed")
    shown = heroku("buildpacks", "-a", "packed").stdout
    assert shown.splitlines()[1:] == ["", "1. heroku/nodejs", "2. heroku/python", f"3. {OF_A_FRIEND}"]
    names = [row["buildpack"]["name"] for row in local.get("/apps/packed/buildpack-installations")]
    assert names == ["heroku/nodejs", "heroku/python", OF_A_FRIEND]
    heroku("buildpacks:remove", OF_A_FRIEND, "-a", "packed")
    heroku("buildpacks:remove", "--index", "1", "-a", "packed")
    assert "heroku/python" in heroku("buildpacks", "-a", "packed").stdout
    heroku("buildpacks:clear", "-a", "packed")
    assert local.get("/apps/packed/buildpack-installations") == []
    assert heroku("buildpacks:set", "nobody/knows", "-a", "packed", check=False).returncode == 2


def test_the_calls_of_the_builds_plugin(local: Any, source: Any) -> None:
    """The plugin heroku-builds that npm has is too old for the CLI; these are the calls that its newer source makes."""
    app = local.app("built")
    url = local.upload(source("from a folder"))
    build = local.post("/apps/built/builds", {"source_blob": {"url": url, "version": ""}})
    assert "Procfile" in local.read(build["output_stream_url"])
    assert local.get(f"/apps/built/builds/{build['id']}")["status"] == "succeeded"
    assert local.current(app)["description"] == "Deploy"
    rows = local.get("/apps/built/builds", Range="created_at ..; max=15, order=desc")
    assert [row["id"] for row in rows] == [build["id"]]
    cancel = {"Accept": "application/vnd.heroku+json; version=3.cancel-build"}
    local.call("DELETE", f"/apps/built/builds/{build['id']}", None, 200, **cancel)
    local.delete("/apps/built/build-cache")
