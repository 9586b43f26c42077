"""The one call of api.github.com that is served: what lies between two commits that were pushed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

HOST = {"Host": "api.github.com"}
KOLKRABBI = {"Host": "kolkrabbi.heroku.com"}


@pytest.fixture
def pipeline(local: Any) -> Any:
    """A pipeline with two apps, ``apps`` in it."""
    apps = [local.app(), local.app()]
    made = local.post("/pipelines", {"name": f"p{apps[0]['name'][:20]}"})
    for app, stage in zip(apps, ("staging", "production"), strict=True):
        local.post("/pipeline-couplings", {"app": app["id"], "pipeline": made["id"], "stage": stage})
    return made | {"apps": apps}


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run git in a repository as Bea, two hours east of Greenwich."""
    told = {"NAME": "Bea Ü", "EMAIL": "bea@example.com", "DATE": "2026-01-02T03:04:05+02:00"}
    env = os.environ | {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in told.items()}

    def run(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=begun")
    return run


def committed(git: Callable[..., str], message: str) -> str:
    git("commit", "--quiet", "--allow-empty", "--message", message)
    return git("rev-parse", "HEAD")


def push(local: Any, app: Any, git: Callable[..., str], branch: str) -> None:
    token = local.http.headers["authorization"].split()[1]
    git("push", "--quiet", app["git_url"].replace("://", f"://any:{token}@"), f"HEAD:refs/heads/{branch}")


def handed_out(local: Any) -> str:
    return str(local.get("/account/github/token", **KOLKRABBI)["github"]["token"])


def compared(local: Any, pipeline: Any, base: str, head: str, authorization: str | None = None) -> httpx.Response:
    given = authorization or f"token {handed_out(local)}"
    path = f"/repos/local/{pipeline['name']}/compare/{base}...{head}"
    return httpx.get(local.url + path, headers=HOST | {"Authorization": given})


def test_commits_between_two_are_told_oldest_first(local: Any, pipeline: Any, git: Any) -> None:
    base, middle = committed(git, "Begin"), committed(git, "Go on\n\nIn two\nlines.")
    head = committed(git, "End")
    push(local, pipeline["apps"][0], git, "feat/x")
    told = compared(local, pipeline, base, head).json()
    assert [(each["sha"], each["commit"]["message"]) for each in told["commits"]] == [
        (middle, "Go on\n\nIn two\nlines."),
        (head, "End"),
    ]
    bea = {"name": "Bea Ü", "email": "bea@example.com", "date": "2026-01-02T01:04:05Z"}
    assert told["commits"][0]["commit"]["author"] == told["commits"][0]["commit"]["committer"] == bea
    assert told["commits"][1]["parents"] == [{"sha": middle}]
    assert (told["status"], told["ahead_by"], told["behind_by"], told["total_commits"]) == ("ahead", 2, 0, 2)
    assert told["merge_base_commit"] == {"sha": base}
    back = compared(local, pipeline, head, base).json()
    assert (back["status"], back["behind_by"], back["commits"]) == ("behind", 2, [])
    assert compared(local, pipeline, head, head, f"Bearer {handed_out(local)}").json()["status"] == "identical"


def test_commits_that_were_pushed_to_different_apps(local: Any, pipeline: Any, git: Any) -> None:
    begin = committed(git, "Begin")
    here = committed(git, "Here")
    push(local, pipeline["apps"][0], git, "here")
    git("checkout", "--quiet", "--detach", begin)
    there = committed(git, "There")
    push(local, pipeline["apps"][1], git, "there")
    told = compared(local, pipeline, here, there).json()
    assert (told["status"], told["ahead_by"], told["behind_by"]) == ("diverged", 1, 1)
    assert [each["sha"] for each in told["commits"]] == [there]
    git("checkout", "--quiet", "--orphan", "unrelated")
    unrelated = committed(git, "Begin again")
    push(local, pipeline["apps"][1], git, "unrelated")
    assert compared(local, pipeline, here, unrelated).status_code == 404


def test_what_was_not_pushed_is_not_found(local: Any, pipeline: Any, git: Any) -> None:
    known = committed(git, "Begin")
    assert compared(local, pipeline, known, known).status_code == 404
    push(local, pipeline["apps"][0], git, "feat")
    for other in ("0" * 40, "feat", "HEAD", known[:7], "--output=x", "v1"):
        assert compared(local, pipeline, known, other).status_code == 404, other
        assert compared(local, pipeline, other, known).status_code == 404, other
    assert compared(local, {"name": "no-such"}, known, known).status_code == 404
    assert "pushed" in compared(local, pipeline, known, "v1").json()["message"]


def test_its_token_opens_nothing_else_and_nothing_else_opens_it(local: Any, pipeline: Any) -> None:
    ours = handed_out(local)
    for given in (local.http.headers["authorization"], f"token {local.http.headers['authorization'].split()[1]}"):
        assert compared(local, pipeline, "0" * 40, "1" * 40, given).status_code == 401
    for given in ("token guessed", "token", ours, f"Basic {ours}", "x"):
        refused = compared(local, pipeline, "0" * 40, "1" * 40, given)
        assert (refused.status_code, "Bad credentials" in refused.json()["message"]) == (401, True)
    for host in ({}, KOLKRABBI):
        for kind in ("Bearer", "token"):
            headers = host | {"Authorization": f"{kind} {ours}"}
            assert httpx.get(f"{local.url}/account/github/token", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/user"), ("GET", "/"), ("POST", "/repos/local/p/compare/a...b"), ("PUT", "/apps"), ("GET", "/blobs/x")],
)
def test_everything_else_is_not_github(local: Any, method: str, path: str) -> None:
    told = httpx.request(method, local.url + path, headers=HOST | {"Authorization": f"token {handed_out(local)}"})
    assert (told.status_code, "This is not GitHub" in told.json()["message"]) == (404, True)
