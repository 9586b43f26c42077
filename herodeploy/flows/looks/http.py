"""Asking a web address for the gate `http`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.secret import OURS
from herodeploy.errors import UsageError
from herodeploy.flows.looks.told import PREFIX, hidden, secrets_of, variables
from herodeploy.flows.services import Services
from herodeploy.gates import http
from herodeploy.gates.expression import Expression, expression

WITHIN = 20.0
MOST = 256 * 1024


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:  # noqa: ARG001
    """Ask the address, unless that was done a short time ago; see `gates.http.ask` for what is seen.

    Raises:
        PlatformError: no answer came, or a far too long one.
        UsageError: an environment variable that it wants is not set.
    """
    spec, previous = question.spec, question.previous
    asked = _asked(spec)
    last = previous.data if previous is not None and previous.data.get("asked") == asked else None
    if last is not None and previous is not None and question.now < http.due(previous, spec):
        return last
    answer, now = _answer(question, delivery), question.now.isoformat()
    neither = not answer["success"] and not answer["failure"]
    since = last["since"] if last is not None and neither and not last["success"] else now
    return {**answer, "asked": asked, "asked_at": now, "since": since}


def _asked(spec: GateSpec) -> str:
    """Return what tells this question from another one under the same name: herodeploy.yml may be changed meanwhile."""
    options = {name: value for name, value in spec.options.items() if name not in ("every", "timeout")}
    return hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _answer(question: Question, delivery: Delivery) -> dict[str, object]:
    from herodeploy.heroku import asking

    options = question.spec.options
    filling = _Filling({**os.environ, **variables(question.facts, delivery)})
    body = options.get("body")
    headers = {str(name): filling.filled(str(value)) for name, value in options.get("headers", {}).items()}
    if body is not None and not isinstance(body, str):
        headers.setdefault("Content-Type", "application/json")
    reply = asking.ask(
        str(options.get("method", "GET")),
        filling.filled(str(options["url"]), quoted=True),
        shown=http.shown(question.spec).partition(" ")[2],
        headers=headers,
        body=_bytes(filling.deeply(body)) if body is not None else None,
        within=WITHIN,
        most=MOST,
    )
    values = {"status": reply.status, "body": _decoded(reply.body), "headers": dict(reply.headers)}
    return {"status": reply.status, **_judged(options, values, filling.secrets)}


def _judged(options: Mapping[str, Any], values: Mapping[str, object], secrets: list[str]) -> dict[str, object]:
    """Return what the expressions say; where one has no answer, neither is true: it might have been a no."""
    found: dict[str, object] = {"success": False, "failure": False}
    asked = {"failure": options.get("failure_when"), "success": options.get("success_when", http.SUCCESS)}
    seen: dict[str, object] = {}
    for name, text in asked.items():
        if text is None:
            continue
        try:
            seen.update(_seen(expression(str(text)), values, secrets))
            found[name] = expression(str(text)).holds(values)
        except ValueError as error:
            found["problem"] = hidden(str(error), secrets)[:500]
            break
    return {**found, "seen": seen}


def _seen(asked: Expression, values: Mapping[str, object], secrets: list[str]) -> dict[str, object]:
    """Return what it asks about, without the status, which is told anyway, and headers, which may be secret."""
    found = {name: value for name, value in asked.seen(values).items() if name.startswith("body")}
    return {name: hidden(value, secrets)[:500] if isinstance(value, str) else value for name, value in found.items()}


def _decoded(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode("utf-8", errors="replace")


def _bytes(body: object) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body, default=str)).encode()


class _Filling:
    """Puts values in the place of ``${NAME}``, and remembers those that must not be shown."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name: value for name, value in environment.items() if name not in OURS}
        self.secrets = secrets_of(environment)

    def filled(self, text: str, *, quoted: bool = False) -> str:
        """Return the text with values; in an address they are quoted."""

        def value(name: str) -> str:
            if name not in self._environment:
                raise UsageError(f"herodeploy.yml wants the environment variable {name}, which is not set here")
            found = self._environment[name]
            if found and not name.startswith(PREFIX):
                self.secrets.append(found)
            return quote(found, safe=":") if quoted else found

        return http.VARIABLE.sub(lambda match: value(match[1]), text)

    def deeply(self, value: object) -> object:
        """Return a text, list or mapping with values in all its texts."""
        if isinstance(value, str):
            return self.filled(value)
        if isinstance(value, list):
            return [self.deeply(each) for each in value]
        if isinstance(value, dict):
            return {str(key): self.deeply(each) for key, each in value.items()}
        return value
