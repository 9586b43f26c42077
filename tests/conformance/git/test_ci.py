"""What the real CLI asks Heroku's GitHub side for: tests, review apps, differences."""

from __future__ import annotations

import json
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


def test_a_shell_in_the_test_environment(local: Any, person: Callable[..., Any]) -> None:
    ann = person(proxy=True)
    ann.heroku("apps:create", "debugged", "--no-remote")
    ann.heroku("pipelines:create", "debugged", "-a", "debugged", "-s", "staging")
    scripts = {"test-setup": "echo set up > set_up; echo now $(cat set_up)", "test": "sh tests.sh"}
    ann.commit("Set up", app_json=json.dumps({"environments": {"test": {"scripts": scripts}}}))
    with ann.start("ci:debug", "-p", "debugged") as going:
        said = heard(going, "now set up")
        going.stdin.write("echo CI is $CI, $(sh tests.sh), $(ls set_up); exit\n")
        going.stdin.flush()
        said += going.stdout.read()
        assert going.wait() == 0, said
    assert "~ $ ci setup && eval $(ci env)" in said
    assert "CI is true, testing, set_up" in said
    (run,) = local.get(f"/pipelines/{local.get('/pipelines/debugged')['id']}/test-runs")
    assert (run["debug"], run["status"]) == (True, "cancelled")
    assert "cancelled" in ann.heroku("ci", "-p", "debugged").stdout


def heard(going: Any, words: str) -> str:
    """Return what a command said up to the line that has the words."""
    said = ""
    for line in going.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)
