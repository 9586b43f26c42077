"""What GitHub's checks say about a commit, and about those before it that are new to the stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.errors import ForgeBusy, NotFound, RepositoryError
from herodeploy.flows.services import Services
from herodeploy.gates.options import matches

if TYPE_CHECKING:
    from herodeploy.forge.github import GitHub

AT_ONCE = 50
"""How many earlier commits one look asks for; the gate waits until all were seen."""

RED = ("failed", "errored")
Data = dict[str, Any]


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:
    """Return the checks of the commit, and the earlier commits that a blocking check is red on.

    A commit whose checks are done and green is not asked for again. While GitHub asks for a pause nothing is.
    """
    from herodeploy.forge import github

    options, now = question.spec.options, question.now
    before = question.previous.data if question.previous else {}
    busy_until = before.get("busy_until")
    if isinstance(busy_until, str) and now < datetime.fromisoformat(busy_until):
        return before
    place = github.place(services.repo.remote_url(), options.get("repository"))
    seen: Data = {"repository": place.repository, "checks": [], "green": _known_green(before)}
    try:
        with github.GitHub(place, services.clock) as forge:
            seen["checks"] = [asdict(check) for check in forge.checks(delivery.commit)]
            return {**seen, **_earlier(services, forge, question, seen["green"])}
    except ForgeBusy as busy:
        return {**seen, "busy": busy.message, "busy_until": busy.until.isoformat()}


def _known_green(before: Mapping[str, object]) -> list[str]:
    green = before.get("green")
    return list(green) if isinstance(green, list) else []


def _earlier(services: Services, forge: GitHub, question: Question, green: list[str]) -> Data:
    """Return what is ``red`` before the commit; `green` gets those that need no other look."""
    blocking = question.spec.options.get("blocking", ())
    if not blocking:
        return {"red": [], "unseen": 0, "unknown": {}}
    commits, unknown = _undeployed(services, question.facts.stage.apps, question.facts.commit)
    open_ = [commit for commit in commits if commit not in green]
    red = []
    for commit in open_[:AT_ONCE]:
        reported = forge.checks(commit)
        found = [check for check in reported if matches(check.name, blocking)]
        red += [{"commit": commit, "name": check.name, "said": check.said} for check in found if check.state in RED]
        # A check may begin when another one ends; a commit in the midst of a push has none at all.
        begun = found or all(check.state != "pending" for check in reported)
        if begun and all(check.state == "succeeded" for check in found):
            green.append(commit)
    return {"red": red, "unseen": len(open_[AT_ONCE:]), "unknown": unknown}


def _undeployed(services: Services, apps: tuple[str, ...], commit: str) -> tuple[list[str], dict[str, str | None]]:
    """Return the commits before `commit` that one of the apps has not run, and the apps whose commit is not known."""
    commits: dict[str, None] = {}
    unknown: dict[str, str | None] = {}
    for app in apps:
        current = services.heroku.releases.current(app)
        if current is None or current.slug_id is None:
            continue
        runs = None
        try:
            runs = services.heroku.slugs.get(app, current.slug_id).commit
            if runs is None:
                unknown[app] = None
            else:
                commits |= dict.fromkeys(services.repo.between(runs, commit))
        except (NotFound, RepositoryError):
            unknown[app] = runs
    commits.pop(commit, None)
    return list(commits), unknown
