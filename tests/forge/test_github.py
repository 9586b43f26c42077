from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import github as support

from herodeploy.domain.check import Check
from herodeploy.domain.secret import Secret
from herodeploy.errors import ForgeBusy, ForgeError, UsageError
from herodeploy.forge.github import GitHub, Place, place

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "gh-s3cret"


@pytest.fixture
def server() -> Iterator[support.GitHub]:
    with support.running() as github:
        yield github


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask(server: support.GitHub, token: str | None = TOKEN, repository: str = "acme/shop") -> list[Check]:
    where = Place(server.url, repository, Secret(token) if token else None, "GITHUB_TOKEN" if token else None)
    with GitHub(where, lambda: NOON) as github:
        return github.checks(COMMIT)


def test_check_runs_and_commit_statuses_are_one_list(server: support.GitHub) -> None:
    server.run(COMMIT, "test")
    server.run(COMMIT, "lint", "failure")
    server.run(COMMIT, "slow", None)
    server.run(COMMIT, "waits", None, "queued")
    server.status(COMMIT, "ci/other", "pending")
    page = "https://github.com/acme/shop/runs/"
    assert ask(server) == [
        Check("ci/other", "pending", "pending"),
        Check("lint", "failed", "failure", f"{page}2"),
        Check("slow", "pending", "in_progress", f"{page}3"),
        Check("test", "succeeded", "success", f"{page}1"),
        Check("waits", "pending", "queued", f"{page}4"),
    ]
    assert len(server.seen) == 2
    assert server.agents == {"herodeploy"}


@pytest.mark.parametrize(
    ("conclusion", "state"),
    [
        ("success", "succeeded"), ("neutral", "succeeded"), ("skipped", "succeeded"), ("failure", "failed"),
        ("cancelled", "errored"), ("timed_out", "errored"), ("action_required", "errored"), ("stale", "errored"),
        ("startup_failure", "errored"),
    ],
)  # fmt: skip
def test_each_conclusion_of_a_run(server: support.GitHub, conclusion: str, state: str) -> None:
    server.run(COMMIT, "test", conclusion)
    assert [(check.state, check.said) for check in ask(server)] == [(state, conclusion)]


@pytest.mark.parametrize(
    ("said", "state"),
    [("success", "succeeded"), ("failure", "failed"), ("error", "errored"), ("pending", "pending")],
)
def test_each_state_of_a_status(server: support.GitHub, said: str, state: str) -> None:
    server.status(COMMIT, "test", said)
    assert [check.state for check in ask(server)] == [state]


def test_all_pages_are_read(server: support.GitHub) -> None:
    for number in range(230):
        server.run(COMMIT, f"run-{number:03}")
        server.status(COMMIT, f"status-{number:03}")
    found = ask(server)
    assert len({check.name for check in found}) == len(found) == 460
    assert len(server.seen) == 6


def test_a_commit_without_checks_has_none(server: support.GitHub) -> None:
    assert ask(server) == []


@pytest.mark.parametrize(
    ("token", "repository", "message", "hint"),
    [
        ("wrong", "acme/shop", "GitHub refuses the token in GITHUB_TOKEN", "put one that is valid into GITHUB_TOKEN"),
        (TOKEN, "acme/other", "GitHub shows no repository acme/other", "may the token in GITHUB_TOKEN see it"),
        (None, "acme/shop", "GitHub shows no repository acme/shop", "set GITHUB_TOKEN"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(
    server: support.GitHub, token: str | None, repository: str, message: str, hint: str
) -> None:
    with pytest.raises(ForgeError) as caught:
        ask(server, token, repository)
    assert (caught.value.message, caught.value.lasting) == (message, True)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ((403, {}, {"message": "Resource not accessible"}), "does not let the token in GITHUB_TOKEN read the checks"),
        ((500, {}, {"message": "Server Error"}), "GitHub answered HTTP 500"),
        ((503, {"Retry-After": "600"}, {"message": "Unavailable"}), "GitHub answered HTTP 503"),
        ((502, {"Content-Type": "text/html"}, "<html>Unicorn!</html>"), "GitHub answered HTTP 502"),
        ((200, {}, {"check_runs": [{"id": 1, "name": 5}]}), "is not as GitHub documents it"),
        ((200, {}, {"total_count": 0}), "is not as GitHub documents it"),
        ((200, {"Content-Type": "text/html"}, "<html>Hello</html>"), "is not as GitHub documents it"),
    ],
)
def test_trouble_is_told_apart_from_an_answer(server: support.GitHub, trouble: Any, message: str) -> None:
    server.trouble = trouble
    with pytest.raises(ForgeError, match=message) as caught:
        ask(server)
    assert caught.value.lasting is (trouble[0] == 403)


def test_a_commit_that_was_not_pushed_is_named(server: support.GitHub) -> None:
    server.unknown.add(COMMIT)
    with pytest.raises(ForgeError, match="GitHub does not know commit 01234567 in acme/shop") as caught:
        ask(server)
    assert caught.value.hint == "git push"


@pytest.mark.parametrize(
    ("headers", "until"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOON.timestamp()) + 600)}, 600),
        ({"Retry-After": "120"}, 120),
        ({}, 60),
    ],
)
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, "API rate limit exceeded for user ID 1."),
        (429, "API rate limit exceeded for user ID 1."),
        (403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."),
        (429, "Slow down"),
    ],
)
def test_a_rate_limit_says_until_when(
    server: support.GitHub, headers: dict[str, str], until: int, status: int, message: str
) -> None:
    server.trouble = (status, headers, {"message": message})
    with pytest.raises(ForgeBusy) as caught:
        ask(server)
    assert caught.value.until == NOON + timedelta(seconds=until)
    assert len(server.seen) == 1


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with (
            pytest.raises(ForgeError, match=f"cannot reach {url}: no connection"),
            GitHub(Place(url, "acme/shop", None, None)) as github,
        ):
            github.checks(COMMIT)


def test_the_token_is_not_logged_or_shown(server: support.GitHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(server)
    where = Place(server.url, "acme/shop", Secret(TOKEN), "GITHUB_TOKEN")
    assert caplog.records
    assert TOKEN not in caplog.text + repr(where)


@pytest.mark.parametrize(
    ("remote", "api", "repository"),
    [
        ("https://github.com/acme/shop.git", "https://api.github.com", "acme/shop"),
        ("https://github.com/acme/shop", "https://api.github.com", "acme/shop"),
        ("git@github.com:acme/shop.git", "https://api.github.com", "acme/shop"),
        ("ssh://git@github.com/acme/shop.js.git", "https://api.github.com", "acme/shop.js"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "https://api.github.com", "acme/shop"),
        ("git@acme.ghe.com:acme/shop.git", "https://api.acme.ghe.com", "acme/shop"),
        ("https://code.acme.com/acme/shop/", "https://code.acme.com/api/v3", "acme/shop"),
    ],
)
def test_where_a_repository_is(remote: str, api: str, repository: str) -> None:
    found = place(remote, env={"GH_HOST": "code.acme.com"})
    assert (found.api, found.repository, found.token) == (api, repository, None)


def test_what_is_written_goes_before_what_is_found_out() -> None:
    found = place("git@github.com:acme/shop.git", "acme/fork", {"GITHUB_API_URL": "https://code.acme.com/api/v3/"})
    assert (found.api, found.repository) == ("https://code.acme.com/api/v3", "acme/fork")


@pytest.mark.parametrize(
    ("remote", "message"),
    [
        (None, "this clone, which has no remote, names no repository on GitHub"),
        ("/srv/git/shop.git", "/srv/git/shop.git names no repository on GitHub"),
        ("git@github.com:shop.git", "names no repository on GitHub"),
        ("git@gitlab.com:acme/shop.git", "nothing says that gitlab.com is a GitHub"),
    ],
)
def test_what_is_no_github(remote: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        place(remote, env={})


TOKENS = {"GH_TOKEN": "1", "GITHUB_TOKEN": "2", "GH_ENTERPRISE_TOKEN": "3", "GITHUB_ENTERPRISE_TOKEN": "4"}


@pytest.mark.parametrize(
    ("env", "name"),
    [
        (TOKENS, "GH_TOKEN"),
        ({"GITHUB_TOKEN": "2"}, "GITHUB_TOKEN"),
        ({**TOKENS, "GH_HOST": "code.acme.com"}, "GH_TOKEN"),
        ({**TOKENS, "GITHUB_API_URL": "https://code.acme.com/api/v3"}, "GH_ENTERPRISE_TOKEN"),
        ({"GITHUB_TOKEN": "2", "GITHUB_API_URL": "https://code.acme.com/api/v3"}, "GITHUB_TOKEN"),
        ({"GH_TOKEN": "1", "GITHUB_API_URL": "https://code.acme.com/api/v3"}, None),
        ({"GH_ENTERPRISE_TOKEN": "3"}, None),
    ],
)
def test_a_token_goes_only_to_the_host_it_is_for(env: dict[str, str], name: str | None) -> None:
    found = place("git@github.com:acme/shop.git", env=env)
    assert found.token_name == name
    assert (found.token.reveal() if found.token else None) == (env[name] if name else None)


def test_without_pygithub_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "github", None)
    with pytest.raises(UsageError, match="PyGithub, which asks GitHub, is not installed") as caught:
        GitHub(place(None, "acme/shop", {}))
    assert caught.value.hint == "pip install 'herodeploy[github]'"


@pytest.mark.parametrize("url", ["code.acme.com", "ftp://code.acme.com", "https://"])
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL is no web address"):
        place(None, "acme/shop", {"GITHUB_API_URL": url})


def test_a_password_in_the_address_is_left_out() -> None:
    found = place(None, "acme/shop", {"GITHUB_API_URL": "https://ann:s3cret@code.acme.com:8443/api/v3/"})
    assert found.api == "https://code.acme.com:8443/api/v3"
