from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Source = Callable[..., dict[str, str]]

PROCFILE = "web: python3 serve.py\nrelease: {}\n"


def test_a_release_command_runs_with_the_config_before_the_new_code_serves(local: Any, source: Source) -> None:
    app = local.app()
    local.patch(f"/apps/{app['id']}/config-vars", {"GREETING": "hi"})
    files = source("new", Procfile=PROCFILE.format('echo "migrating for $GREETING in $DYNO"'))
    release = local.deploy(app, files)
    assert (release["status"], release["current"]) == ("succeeded", True)
    assert "migrating for hi in release." in local.read(release["output_stream_url"])
    assert local.visit(app).text == "new hi /"


def test_a_failing_release_command_leaves_the_old_release_serving(local: Any, source: Source) -> None:
    """Its build has succeeded all the same, and its number is burnt."""
    app = local.app()
    local.deploy(app, source("old"))
    bad = local.deploy(app, source("bad", Procfile=PROCFILE.format("echo broken; exit 3")))
    assert (bad["version"], bad["status"], bad["current"]) == (4, "failed", False)
    assert not bad["eligible_for_rollback"]
    assert "broken" in local.read(bad["output_stream_url"])
    assert local.current(app)["version"] == 3
    assert local.visit(app).text.startswith("old")
    good = local.deploy(app, source("good"))
    assert (good["version"], good["current"]) == (5, True)
    assert local.visit(app).text.startswith("good")


def test_a_rollback_is_a_new_release_of_old_code_and_old_config(local: Any, source: Source, conforms: Any) -> None:
    app = local.app()
    local.patch(f"/apps/{app['id']}/config-vars", {"GREETING": "one"})
    first = local.deploy(app, source("first"))
    local.patch(f"/apps/{app['id']}/config-vars", {"GREETING": "two"})
    local.deploy(app, source("second"))
    assert local.visit(app).text == "second two /"
    row = local.post(f"/apps/{app['id']}/releases", {"release": first["id"]})
    conforms("release", row)
    assert (row["version"], row["description"], row["current"]) == (7, "Rollback to v4", True)
    assert row["slug"] == first["slug"]
    assert local.get(f"/apps/{app['id']}/config-vars") == {"GREETING": "one"}
    assert local.visit(app).text == "first one /"


def test_a_rollback_whose_command_fails_changes_nothing(local: Any, source: Source, tmp_path: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}"
    first = local.deploy(app, source(Procfile=PROCFILE.format(f"test ! -e {tmp_path}/broken")))
    local.patch(f"{path}/config-vars", {"GREETING": "hi"})
    assert local.settled(app, local.get(f"{path}/releases/4")["id"])["status"] == "succeeded"
    (tmp_path / "broken").touch()
    begun = local.post(f"{path}/releases", {"release": first["id"]})
    assert local.settled(app, begun["id"])["status"] == "failed"
    assert local.current(app)["version"] == 4
    assert local.get(f"{path}/config-vars") == {"GREETING": "hi"}


@pytest.mark.parametrize("identity", ["v3", "3", 3])
def test_a_release_is_named_by_its_version_too(local: Any, source: Source, identity: Any) -> None:
    app = local.app()
    local.deploy(app, source())
    assert local.post(f"/apps/{app['id']}/releases", {"release": identity})["description"] == "Rollback to v3"


def test_there_is_no_way_back_to_what_had_no_code_or_failed(local: Any, source: Source) -> None:
    app = local.app()
    local.deploy(app, source(Procfile=PROCFILE.format("exit 1")))
    path = f"/apps/{app['id']}/releases"
    assert "no code" in local.post(path, {"release": "v1"}, 422)["message"]
    assert "failed" in local.post(path, {"release": "v3"}, 422)["message"]
    local.post(path, {"release": "v99"}, 404)
    local.post(path, {"slug": "00000000-0000-0000-0000-000000000000"}, 404)
    local.post(path, {}, 422)
    other = local.app()
    row = local.get(f"/apps/{other['id']}/releases/1")
    local.post(path, {"release": row["id"]}, 404)


def test_a_slug_can_be_released_in_another_app_with_that_apps_config(local: Any, source: Source) -> None:
    first, second = local.app(), local.app()
    slug = local.deploy(first, source("shared"))["slug"]["id"]
    local.patch(f"/apps/{second['id']}/config-vars", {"GREETING": "there"})
    row = local.post(f"/apps/{second['id']}/releases", {"slug": slug, "description": "Copied"})
    assert (row["description"], row["version"]) == ("Copied", 4)
    assert local.visit(second).text == "shared there /"
    local.delete(f"/apps/{first['id']}")
    assert local.visit(second).text == "shared there /"
    local.delete(f"/apps/{second['id']}/dynos", 202)
    assert local.visit(second).text == "shared there /"


def test_config_changed_while_a_release_command_runs_keeps_the_new_code(
    local: Any, source: Source, tmp_path: Any
) -> None:
    """Releases settle in the order of their numbers, so the later one must not bring the older code back."""
    app = local.app()
    local.deploy(app, source("old"))
    gate = tmp_path / "go"
    wait = f'test -n "$GREETING" || until test -e {gate}; do sleep 0.05; done'
    build = local.build(app, source("new", Procfile=PROCFILE.format(wait)))
    local.patch(f"/apps/{app['id']}/config-vars", {"GREETING": "hi"})
    rows = local.get(f"/apps/{app['id']}/releases", Range="version ..; order=desc,max=2")
    assert [row["status"] for row in rows] == ["pending", "pending"]
    gate.touch()
    local.settled(app, build["release"]["id"])
    newest = local.get(f"/apps/{app['id']}/releases/5")
    while newest["status"] == "pending":
        newest = local.settled(app, newest["id"])
    assert newest["current"]
    assert newest["slug"] == build["slug"]
    assert local.visit(app).text == "new hi /"


def test_releases_are_listed_oldest_first_unless_asked_otherwise(local: Any) -> None:
    app = local.app()
    path = f"/apps/{app['id']}/releases"
    assert [row["version"] for row in local.get(path)] == [1, 2]
    assert [row["version"] for row in local.get(path, Range="version ..; order=desc")] == [2, 1]
    assert local.get(f"{path}/v2") == local.get(f"{path}/2")
    local.call("GET", f"{path}/0", status=404)
