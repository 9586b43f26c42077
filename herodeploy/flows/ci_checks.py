"""CI by GitHub's checks: waiting until those of a commit have an answer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from herodeploy.errors import ForgeBusy, ForgeError
from herodeploy.flows.services import Services
from herodeploy.gates.checks import judge
from herodeploy.gates.options import spoken

if TYPE_CHECKING:
    from herodeploy.forge.github import GitHub

LEG = "test"
AGAIN = timedelta(seconds=15)
"""Between two looks: each is two of the 5,000 calls that GitHub lets a token make in an hour."""

ENDS = {"PASS": "succeeded", "FAIL": "failed"}


def wait_for_checks(services: Services, commit: str, began: str) -> dict[str, Any]:
    """Return ``status`` (succeeded, failed, errored) and ``reason`` once GitHub's checks have an answer.

    Parameters:
        began: when the waiting began, in ISO 8601; ``ci.timeout`` counts from there, whoever carries it on.

    Raises:
        ForgeError: GitHub refuses us, or does not answer until the time is up.
        UsageError: there is no repository on GitHub.
    """
    from herodeploy.forge import github

    spec = services.spec.ci
    ends = datetime.fromisoformat(began) + spec.timeout
    place = github.place(services.repo.remote_url(), spec.checks.get("repository"))
    services.tell("step", f"waiting for the checks of {commit[:8]} in {place.repository}", leg=LEG)
    told = ""
    with github.GitHub(place, services.clock) as forge:
        while True:
            answer, reason, error = _look(services, forge, commit)
            if answer in ENDS:
                services.tell("done" if answer == "PASS" else "failed", reason, leg=LEG)
                return {"status": ENDS[answer], "reason": None if answer == "PASS" else reason}
            left = ends - services.clock()
            if left <= timedelta():
                return _overdue(services, reason, error)
            if reason != told:
                services.tell("wait", reason, leg=LEG)
                told = reason
            services.pause(min(left, _pause(services, error)).total_seconds())


def _look(services: Services, forge: GitHub, commit: str) -> tuple[str, str, ForgeError | None]:
    try:
        found = [asdict(check) for check in forge.checks(commit)]
    except ForgeError as error:
        if error.lasting:
            raise
        return "WAIT", f"{error.message}{f'; {error.hint}' if error.hint else ''}", error
    data = {"checks": found, "red": [], "unseen": 0, "unknown": {}}
    answer, reason = judge(commit, data, services.spec.ci.checks)
    return str(answer), reason, None


def _overdue(services: Services, reason: str, error: ForgeError | None) -> dict[str, Any]:
    if error is not None:
        raise error
    text = f"the checks were not green within {spoken(services.spec.ci.timeout)}: {reason}"
    services.tell("failed", text, leg=LEG)
    return {"status": "errored", "reason": text}


def _pause(services: Services, error: ForgeError | None) -> timedelta:
    asked = error.until - services.clock() if isinstance(error, ForgeBusy) else AGAIN
    return max(asked, AGAIN)
