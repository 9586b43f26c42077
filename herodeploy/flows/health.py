"""Whether a release that was verified still does well: it answers, its dynos run, its log has few errors.

A dyno that starts is no trouble: Heroku restarts each about once a day.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.pipeline import App, VerifySpec
from herodeploy.flows.answers import ask_until_steady
from herodeploy.flows.services import Services

STEADY_WITHIN = timedelta(seconds=10)
"""How long the wanted answers may take to come: it has booted long ago."""
LOG_LINES = 1500
"""As many as Heroku keeps of an app."""
ROUTER_ERRORS = frozenset(f"H{number}" for number in range(10, 22))
SERVER_ERRORS = range(500, 600)

_LINE = re.compile(r"(?P<at>\S+) heroku\[(?P<of>[^\]]+)\]: (?P<text>.*)", re.DOTALL)
# A visitor chooses the path and may write there what they like; it stands in quotes.
_QUOTED = re.compile(r'"[^"]*"')
_CODE = re.compile(r"at=\w+ code=(H\d+)\b")
_STATUS = re.compile(r"\bstatus=(\d{3})\b")
_CRASH = "State changed from "
_CRASHED = " to crashed"


@dataclass(slots=True)
class LogCount:
    """What an app's log says of some time.

    Parameters:
        newest: the time of the newest line, as it is written; what comes after it is counted next time.
        errors: how often each router error or status 5xx came, by its name.
        crashed: dynos that crashed.
    """

    newest: str
    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    crashed: set[str] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """The share of requests that ended as an error."""
        return self.errors.total() / self.requests if self.requests else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "newest": self.newest,
            "requests": self.requests,
            "errors": dict(sorted(self.errors.items())),
            "crashed": sorted(self.crashed),
        }


def read_log(services: Services, app: str, since: str | None) -> LogCount:
    """Count what the platform wrote into an app's log after `since`; with None nothing, only the place is noted."""
    return count(services.heroku.logs.lines(app, LOG_LINES, source="heroku"), since)


def count(lines: Iterable[str], since: str | None) -> LogCount:
    """Count the lines after `since`: requests, router errors, answers 5xx, crashes; what is no such line is skipped.

    Parameters:
        since: `newest` of the count before; None where there was none.
    """
    found = LogCount(since or "")
    after = _moment(since)
    for line in lines:
        match = _LINE.fullmatch(line)
        at = _moment(match["at"]) if match else None
        if match is None or at is None or (after is not None and at <= after):
            continue
        newest = _moment(found.newest)
        if newest is None or at > newest:
            found.newest = match["at"]
        if since is not None:
            _take(found, match["of"], match["text"])
    return found


def crashed(services: Services, app: str, version: int) -> set[str]:
    """Return the dynos of the formation that lie crashed; those of a newer release than `version` count as well."""
    dynos = services.heroku.dynos.list(app)
    found = {dyno.name for dyno in dynos if dyno.state == "crashed" and dyno.release_version >= version}
    return of_formation(services, app, found)


def of_formation(services: Services, app: str, dynos: Collection[str]) -> set[str]:
    """Return those of the formation: what somebody runs once, such as a console, says nothing about the release."""
    kept = {line.type for line in services.heroku.formation.list(app)} if dynos else set()
    return {name for name in dynos if name.partition(".")[0] in kept}


def no_answer(services: Services, app: App, spec: VerifySpec) -> str | None:
    """Return what an app says in the place of what its stage's verification wants; None where it says that, or nothing
    is asked of it.

    Raises:
        PlatformUnreachable: no connection came about. Heroku's router answers for an app that is down, so that is the
            network's doing.
    """
    if spec.path is None:
        return None
    asked = ask_until_steady(services, app, spec, spec.path, min(spec.within, STEADY_WITHIN))
    if asked.steady:
        return None
    return f"{app.name} answers {asked.status or 'nothing'} to GET {spec.path}, not {spec.status}"


def _take(found: LogCount, of: str, text: str) -> None:
    if of != "router":
        if text.startswith(_CRASH) and text.endswith(_CRASHED):
            found.crashed.add(of)
        return
    found.requests += 1
    told = _QUOTED.sub("", text)
    code, statuses = _CODE.match(told), _STATUS.findall(told)
    if code is not None and code[1] in ROUTER_ERRORS:
        # Who hung up was the visitor.
        if " sock=client " not in told:
            found.errors[code[1]] += 1
    elif statuses and int(statuses[-1]) in SERVER_ERRORS:
        found.errors[statuses[-1]] += 1


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
