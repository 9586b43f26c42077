"""GitHub, over PyGithub: what its checks say about a commit.

Import this module lazily; PyGithub itself is loaded at the first call.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from herodeploy.domain.check import Check, CheckState
from herodeploy.domain.secret import Secret
from herodeploy.domain.times import utc
from herodeploy.errors import ForgeBusy, ForgeError, HerodeployError, UsageError

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.CheckRun import CheckRun
    from github.CommitStatus import CommitStatus

TIMEOUT = 30
"""Seconds without an answer after which a call is given up."""
PAGE = 100
AGAIN = 2
"""How often a call is made anew when no connection comes about. Who asks for a pause is not waited for here."""
TOO_MANY = 429
UNNAMED_PAUSE = timedelta(minutes=1)
"""How long to leave GitHub alone when it says to slow down and not for how long."""

PUBLIC = "https://api.github.com"
TOKENS = ("GH_TOKEN", "GITHUB_TOKEN")
ENTERPRISE_TOKENS = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")

NOT_AS_DOCUMENTED = (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What PyGithub may raise over a reply that is not GitHub's."""

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_REMOTE = re.compile(r"(?:\w+://)?(?:[^@/]*@)?(?P<host>[^:/]+)(?::\d+)?[:/]+(?P<path>.+?)(?:\.git)?/?")
_OF_RUNS: dict[str, CheckState] = {
    "success": "succeeded",
    "neutral": "succeeded",
    "skipped": "succeeded",
    "failure": "failed",
}
_OF_STATUSES: dict[str, CheckState] = {"success": "succeeded", "failure": "failed", "pending": "pending"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repository is: GitHub's API, ``owner/name``, and the token for it with the name of its variable."""

    api: str
    repository: str
    token: Secret | None
    token_name: str | None


class GitHub:
    """One repository on GitHub, or on a GitHub Enterprise Server."""

    def __init__(self, place: Place, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.place = place
        self.repository = place.repository
        self._clock = clock
        self._client = _client(place)

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def checks(self, commit: str) -> list[Check]:
        """Return the newest check runs and commit statuses of a commit, by name.

        Raises:
            ForgeBusy: GitHub asks for a pause.
            ForgeError: GitHub does not answer, or says no.
        """
        from github.CommitStatus import CommitStatus
        from github.PaginatedList import PaginatedList

        with self._translated(commit):
            subject = self._client.get_repo(self.repository).get_commit(commit)
            runs = [_of_run(run) for run in subject.get_check_runs(filter="latest")]
            # Commit.get_combined_status stops at the first thirty.
            page = PaginatedList(
                CommitStatus, self._client.requester, f"{subject.url}/status", None, list_item="statuses"
            )
            statuses = [_of_status(status) for status in page]
        return sorted([*runs, *statuses], key=lambda check: (check.name, check.said))

    @contextmanager
    def _translated(self, commit: str) -> Iterator[None]:
        """Turn foreign errors into ours; their texts are not repeated, as they may quote whole addresses."""
        import github
        import requests

        try:
            yield
        except (github.IncompletableObject, github.BadAttributeException, *NOT_AS_DOCUMENTED):
            raise ForgeError(
                f"what {self.place.api} answers is not as GitHub documents it", hint="is GITHUB_API_URL right?"
            ) from None
        except github.RateLimitExceededException as error:
            raise self._busy(error) from None
        except github.GithubException as error:
            if error.status == TOO_MANY:
                raise self._busy(error) from None
            raise self._refused(error, commit) from None
        except requests.exceptions.RequestException as error:
            why = "no answer in time" if isinstance(error, requests.exceptions.Timeout) else "no connection"
            raise ForgeError(f"cannot reach {self.place.api}: {why}", hint="is there a network?") from None

    def _busy(self, error: GithubException) -> ForgeBusy:
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        until = self._clock() + UNNAMED_PAUSE
        if headers.get("retry-after", "").isdigit():
            until = self._clock() + timedelta(seconds=int(headers["retry-after"]))
        elif headers.get("x-ratelimit-reset", "").isdigit():
            until = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC)
        known = self.place.token is not None
        hint = None if known else f"with a token there are more: set {TOKENS[1]}"
        return ForgeBusy(f"GitHub takes no more calls until {utc(until)}", until=until, hint=hint)

    def _refused(self, error: GithubException, commit: str) -> HerodeployError:
        token = self.place.token_name
        if error.status == 401:
            hint = f"put one that is valid into {token}" if token else f"set {TOKENS[1]}"
            refused = f"GitHub refuses the token in {token}" if token else "GitHub wants a token"
            return ForgeError(refused, hint=hint, lasting=True)
        if error.status == 403:
            what = f"the token in {token}" if token else "calls without a token"
            return ForgeError(
                f"GitHub does not let {what} read the checks of {self.repository}",
                hint="it needs `checks: read` and `statuses: read` (classic tokens: `repo`)",
                lasting=True,
            )
        if error.status == 404:
            way_out = f"is the name right, and may the token in {token} see it?" if token else f"set {TOKENS[1]}"
            return ForgeError(f"GitHub shows no repository {self.repository}", hint=way_out, lasting=True)
        if error.status == 422:
            return ForgeError(f"GitHub does not know commit {commit[:8]} in {self.repository}", hint="git push")
        return ForgeError(f"GitHub answered HTTP {error.status} to a question about {self.repository}")


def place(remote: str | None, repository: str | None = None, env: Mapping[str, str] = os.environ) -> Place:
    """Return where the repository is.

    The API is that of ``GITHUB_API_URL``, else of the remote's host. Tokens are read from the variables of the gh
    command; one goes only to the host that its variable is for.

    Parameters:
        remote: address of a git remote.
        repository: ``owner/name``; the remote's unless given.

    Raises:
        UsageError: there is no remote, nothing says that its host is a GitHub, or ``GITHUB_API_URL`` is no address.
    """
    host, path = _remote(remote)
    named = repository or path
    if named is None or not _REPOSITORY.fullmatch(named):
        raise UsageError(
            f"{remote or 'this clone, which has no remote,'} names no repository on GitHub",
            hint="write `repository: owner/name` under the gate, or git remote add origin ...",
        )
    api = _written(env["GITHUB_API_URL"]) if env.get("GITHUB_API_URL") else _api(host, env)
    # In GitHub Actions GITHUB_TOKEN is for the server that GITHUB_API_URL names.
    names = [*(TOKENS if _is_public(api) else ENTERPRISE_TOKENS), *(TOKENS[1:] if env.get("GITHUB_API_URL") else ())]
    found = next((name for name in names if env.get(name)), None)
    return Place(api, named, Secret(env[found]) if found else None, found)


def _remote(remote: str | None) -> tuple[str | None, str | None]:
    match = _REMOTE.fullmatch(remote or "")
    return (match["host"].lower(), match["path"].strip("/")) if match else (None, None)


def _written(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("GITHUB_API_URL is no web address", hint="such as https://github.example.com/api/v3")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _api(host: str | None, env: Mapping[str, str]) -> str:
    if host is None or host in ("github.com", "ssh.github.com", "www.github.com"):
        return PUBLIC
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    if host == env.get("GH_HOST", "").lower():
        return f"https://{host}/api/v3"
    raise UsageError(
        f"nothing says that {host} is a GitHub", hint=f"if it is: export GITHUB_API_URL=https://{host}/api/v3"
    )


def _is_public(api: str) -> bool:
    host = urlsplit(api).hostname or ""
    return host == "api.github.com" or host.endswith(".ghe.com")


def _client(place: Place) -> Github:
    try:
        import github
    except ModuleNotFoundError:
        raise UsageError(
            "PyGithub, which asks GitHub, is not installed", hint="pip install 'herodeploy[github]'"
        ) from None
    import urllib3

    auth = github.Auth.Token(place.token.reveal()) if place.token else None
    return github.Github(
        base_url=place.api,
        auth=auth,
        timeout=TIMEOUT,
        per_page=PAGE,
        retry=urllib3.Retry(AGAIN, status=0, redirect=False, respect_retry_after_header=False),
        seconds_between_requests=None,
        lazy=True,
        user_agent="herodeploy",
    )


def _of_run(run: CheckRun) -> Check:
    if run.status != "completed":
        return Check(_text(run.name), "pending", _text(run.status), run.html_url)
    said = _text(run.conclusion)
    return Check(_text(run.name), _OF_RUNS.get(said, "errored"), said, run.html_url)


def _of_status(status: CommitStatus) -> Check:
    # Its target is somebody else's address, which may carry anything.
    said = _text(status.state)
    return Check(_text(status.context), _OF_STATUSES.get(said, "errored"), said)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
