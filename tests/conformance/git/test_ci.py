"""What the real CLI asks Heroku's GitHub side for: tests, review apps, differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_tests_of_the_commit_that_is_here(person: Callable[..., Any]) -> None:
    ann = person(proxy=True)
    ann.heroku("apps:create", "tested", "--no-remote")
    ann.heroku("pipelines:create", "tested", "-a", "tested", "-s", "staging")
    done = ann.heroku("ci:run", "-p", "tested")
    assert "\ntesting\n" in done.stdout
    assert "#1 main:" in done.stdout
    ann.commit("Break it", tests_sh="echo not ok; exit 3\n")
    ann.git("remote", "add", "origin", "https://github.com/someone/something.git")
    done = ann.heroku("ci:run", "-p", "tested", check=False)
    assert (done.returncode, "\nnot ok\n" in done.stdout) == (3, True)
    listed = ann.heroku("ci", "-p", "tested").stdout
    assert "succeeded" in listed
    assert "failed" in listed
    assert "\ntesting\n" in ann.heroku("ci:info", "1", "-p", "tested").stdout
    assert ann.heroku("ci:last", "-p", "tested", check=False).returncode == 3
    done = ann.heroku("ci:rerun", "1", "-p", "tested")
    assert "\ntesting\n" in done.stdout
    assert "#3 main:" in done.stdout


def test_review_apps_of_pushed_branches(local: Any, person: Callable[..., Any]) -> None:
    ann = person("reviewed", proxy=True)
    ann.heroku("apps:create", "looked-at")
    ann.heroku("pipelines:create", "looked-at", "-a", "looked-at", "-s", "staging")
    ann.heroku("reviewapps:enable", "-p", "looked-at")
    ann.heroku("reviewapps:enable", "-p", "looked-at", "--autodestroy")
    done = ann.heroku("reviewapps:create", "-p", "looked-at", "-b", "feat/x", check=False)
    assert "The branch feat/x doesn't exist" in " ".join(done.stderr.split())
    assert "remote: Pushed to non-main branch, skipping build." in ann.git("push", "heroku", "main:feat/x")
    ann.heroku("reviewapps:create", "-p", "looked-at", "-b", "feat/x", "--wait", "--wait-interval", "1")
    pipeline = local.get("/pipelines/looked-at")
    (review,) = local.get(f"/pipelines/{pipeline['id']}/review-apps")
    assert review["status"] == "created"
    assert local.visit(review["app"]).text.startswith("reviewed")
    ann.heroku("reviewapps:wait", local.get(f"/apps/{review['app']['id']}")["name"])
    ann.heroku("reviewapps:disable", "-p", "looked-at")


def test_whether_apps_run_the_same(person: Callable[..., Any]) -> None:
    ann = person(proxy=True)
    ann.heroku("apps:create", "upstream")
    ann.heroku("apps:create", "downstream", "--no-remote")
    ann.heroku("pipelines:create", "flowing", "-a", "upstream", "-s", "staging")
    ann.heroku("pipelines:add", "flowing", "-a", "downstream", "-s", "production")
    ann.git("push", "heroku", "main")
    ann.heroku("pipelines:promote", "-a", "upstream")
    assert "upstream is up to date with downstream" in ann.heroku("pipelines:diff", "-a", "upstream").stdout
    commit = ann.commit("Go on\n\nAnd on", index_html="again")
    ann.git("push", "heroku", "main")
    told = ann.heroku("pipelines:diff", "-a", "upstream").stdout
    assert "upstream is ahead of downstream by 1 commit" in told
    (line,) = [line for line in told.splitlines() if commit[:7] in line and "compare" not in line]
    assert "Ann" in line
    assert "Go on" in line
    assert "Begin" not in told
