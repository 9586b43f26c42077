"""Does a web address answer as it should?"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from herodeploy.domain.gate import Answer, Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import options

KIND = "http"
OPTIONS = frozenset({"url", "method", "headers", "body", "success_when", "failure_when", "every", "timeout"})
SUCCESS = "200 <= status < 300"
EVERY, TIMEOUT = timedelta(minutes=1), timedelta(hours=1)
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHOWN = 100


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Pass when `success_when` holds of the last answer, fail when `failure_when` does, else wait and ask again.

    What was seen has ``asked_at``, ``since`` (the first of the answers in a row that said neither), ``status``,
    ``success``, ``failure``, ``seen`` (what the expressions ask about) and perhaps ``problem``.
    """
    observed = facts.observed(spec)
    what = shown(spec)
    if observed is None or "asked_at" not in observed.data:
        return Verdict(KIND, Answer.WAIT, f"{what} was not asked yet", until=now)
    data = dict(observed.data)
    known = {"request": what, **{name: value for name, value in data.items() if name != "asked"}}
    answered = f"{what} answered {data['status']}{_details(data)}"
    if data["failure"]:
        return Verdict(KIND, Answer.FAIL, answered, facts=known)
    if data["success"]:
        return Verdict(KIND, Answer.PASS, answered, facts=known)
    if asked_at(observed) >= deadline(observed, spec):
        within = options.spoken(_option(spec, "timeout", TIMEOUT))
        return Verdict(KIND, Answer.FAIL, f"{answered}, and nothing better within {within}", facts=known)
    known["look_again_at"] = due(observed, spec).isoformat()
    return Verdict(KIND, Answer.WAIT, f"{answered}, which is neither yes nor no", facts=known)


def shown(spec: GateSpec) -> str:
    """Return the request as people see it: without the query, and with variables as they are written."""
    parts = urlsplit(str(spec.options["url"]))
    return f"{spec.options.get('method', 'GET')} {parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path or '/'}"


def asked_at(observed: Observation) -> datetime:
    """Return when the answer was given."""
    return datetime.fromisoformat(str(observed.data["asked_at"]))


def deadline(observed: Observation, spec: GateSpec) -> datetime:
    """Return from when on an answer that says neither is a no."""
    return datetime.fromisoformat(str(observed.data["since"])) + _option(spec, "timeout", TIMEOUT)


def due(observed: Observation, spec: GateSpec) -> datetime:
    """Return when to ask again."""
    return min(asked_at(observed) + _option(spec, "every", EVERY), max(deadline(observed, spec), asked_at(observed)))


def _option(spec: GateSpec, name: str, usual: timedelta) -> timedelta:
    return options.duration(spec.options.get(name)) or usual


def _details(data: dict[str, object]) -> str:
    if data.get("problem"):
        return f" ({data['problem']})"
    seen = data.get("seen")
    told = [f"{name} is {_value(value)}" for name, value in seen.items()] if isinstance(seen, dict) else []
    return f" ({', '.join(told)})" if told else ""


def _value(value: object) -> str:
    if value is None:
        return "not there"
    return options.one_line(str(value), _SHOWN)
