"""Heroku's GitHub side, and the repositories of pipelines: what was pushed to their apps."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

PAUSE = threading.Event()
HOST = {"Host": "kolkrabbi.heroku.com"}


@pytest.fixture
def pipeline(local: Any) -> Any:
    """A pipeline with one app, ``app`` in it."""
    app = local.app()
    made = local.post("/pipelines", {"name": f"p{app['name'][:20]}"})
    local.post("/pipeline-couplings", {"app": app["id"], "pipeline": made["id"], "stage": "staging"})
    return made | {"app": app}


def pushed(local: Any, app: Any, folder: Path, branch: str, files: dict[str, str]) -> str:
    """Push files as a branch; return the commit."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    folder.mkdir()
    git("init", "--quiet", f"--initial-branch={branch}")
    for name, text in files.items():
        (folder / name).write_text(text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Begin")
    token = local.http.headers["authorization"].split()[1]
    git("push", "--quiet", app["git_url"].replace("://", f"://any:{token}@"), branch)
    return git("rev-parse", "HEAD")


def test_it_has_a_host_of_its_own_and_wants_the_token(local: Any, pipeline: Any) -> None:
    path = f"/pipelines/{pipeline['id']}/repository"
    assert local.get(path, **HOST)["repository"]["name"] == f"local/{pipeline['name']}"
    assert httpx.get(local.url + path, headers=HOST).status_code == 401
    assert local.http.get("/apps", headers=HOST).status_code == 404
    assert local.get("/account/github/token", **HOST)["github"]["token"]


def test_an_app_is_linked_to_the_repository_of_its_pipeline(local: Any, pipeline: Any) -> None:
    path = f"/apps/{pipeline['app']['id']}/github"
    link = local.get(path, **HOST)
    assert (link["repo"], link["auto_deploy"]) == (f"local/{pipeline['name']}", False)
    changed = local.call("PATCH", path, {"auto_deploy": True, "repo": "x/y"}, **HOST)
    assert changed == link | {"auto_deploy": True}
    assert local.get(f"/pipelines/{pipeline['id']}/github", **HOST) == [changed]
    assert local.http.get(f"/apps/{local.app()['id']}/github", headers=HOST).status_code == 404


def test_only_its_own_repository_can_be_connected(local: Any, pipeline: Any) -> None:
    path = f"/pipelines/{pipeline['id']}/repository"
    known = local.get(path, **HOST)["repository"]["id"]
    assert local.call("POST", path, {"repository": known}, 201, **HOST)["repository"]["id"] == known
    local.call("POST", path, {"repository": 4711}, 404, **HOST)
    assert local.get(f"/pipelines/{pipeline['id']}/repo") == {"id": known, "full_name": f"local/{pipeline['name']}"}


def test_branches_are_those_that_were_pushed(local: Any, pipeline: Any, tmp_path: Path) -> None:
    path = f"/pipelines/{pipeline['id']}/repo/branches"
    assert local.http.get(f"{path}/feat%2Fx").status_code == 404
    commit = pushed(local, pipeline["app"], tmp_path / "work", "feat/x", {"Procfile": "web: true\n"})
    assert local.get(f"{path}/feat%2Fx") == {"name": "feat/x", "commit": {"sha": commit}}
    found = local.get(f"/github/repos/local/{pipeline['name']}/tarball/feat/x", **HOST)
    assert httpx.head(found["archive_link"]).status_code in (200, 405)
    assert httpx.get(found["archive_link"]).content[:2] == b"\x1f\x8b"
    assert local.http.get(f"/github/repos/o/r/tarball/{commit}", headers=HOST).status_code == 404


def test_a_review_app_of_a_pushed_branch(local: Any, pipeline: Any, tmp_path: Path, source: Any) -> None:
    """As heroku reviewapps:create asks for it: the platform finds the source."""
    body = {"branch": "feat", "pipeline": pipeline["id"], "source_blob": {"url": "resolve", "version": None}}
    assert "git push heroku feat" in local.post("/review-apps", body, 422)["message"]
    pushed(local, pipeline["app"], tmp_path / "work", "feat", source("reviewed"))
    review = local.post("/review-apps", body)
    while review["status"] in ("pending", "creating"):
        PAUSE.wait(0.02)
        review = local.get(f"/review-apps/{review['id']}")
    assert review["status"] == "created", review
    assert local.visit(review["app"]).text.startswith("reviewed")
