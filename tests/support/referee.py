"""The referee: sees all traffic of a platform and says where it is not what Heroku publishes.

Put it around the platform's ASGI app with `Referee.around`; ask for `Referee.verdict` when a test ends.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

from . import traffic
from .schema import Link, Schema, overlooked, problems
from .traffic import Exchange

UNPUBLISHED = [
    (r"DELETE /oauth/sessions/~", "logout"),
    (r"GET /pipelines/[^/]+/repo(/branches/.+)?", "reviewapps:*, with the account feature dashboard-repositories-api"),
    (r".* /(account/github/token|github/repos/.+|apps/[^/]+/github|pipelines/[^/]+/(github|repository))", "ci:*, diff"),
    (r"PUT /apps/[^/]+/pre-authorizations", "a second factor, asked for an app"),
    (r".* /(client/v11|postgres/v0)/.+", "pg:*"),
]
"""Endpoints that the Heroku CLI calls and the schema lacks: a pattern, and who needs it."""


class Referee:
    """Judges the traffic of any number of platforms.

    Parameters:
        schema: the law.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._seen: deque[Exchange] = deque()
        self._known: set[int] = set()

    def around(self, app: traffic.ASGIApp) -> traffic.ASGIApp:
        """Return an ASGI app that lets everything through unchanged and remembers it."""
        return traffic.watched(app, self.see)

    def see(self, exchange: Exchange) -> None:
        """Remember an exchange for the next verdict."""
        self._seen.append(exchange)

    def verdict(self) -> list[str]:
        """Return what was wrong since the last time; what was judged once is not judged again."""
        found = []
        while self._seen:
            exchange = self._seen.popleft()
            key = hash((exchange.method, exchange.path, exchange.status, exchange.asked, exchange.answered))
            if key not in self._known:
                self._known.add(key)
                found += [f"{exchange}: {problem}" for problem in judge(self._schema, exchange)]
        return found


def judge(schema: Schema, exchange: Exchange) -> list[str]:
    """Return what is wrong with an exchange."""
    if exchange.status >= 400:
        return _judge_error(exchange)
    links = schema.matching(exchange.method, exchange.path)
    if not links:
        known = any(re.fullmatch(pattern, f"{exchange.method} {exchange.path}") for pattern, _ in UNPUBLISHED)
        return [] if known else ["this endpoint is not in the schema, and not in UNPUBLISHED"]
    found = _judge_headers(exchange)
    if exchange.status == 304 or exchange.method == "HEAD":
        return found
    if not exchange.is_json:
        return [*found, "the reply is no JSON"]
    value, more = _without_more(schema, json.loads(exchange.answered), exchange.more)
    found += more
    found += _best([problems(link.reply, value) for link in links if link.reply is not None])
    if exchange.asked.strip():
        asked = json.loads(exchange.asked)
        found += _best([_judge_request(link, asked) for link in links if link.request])
    return found


def _without_more(schema: Schema, value: Any, more: str) -> tuple[Any, list[str]]:
    """Take out what headers asked for beyond the schema; what came whole in place of a reference is judged as itself.

    The Heroku CLI sends Accept-Expansion for add-ons and Accept-Inclusion for attachments.
    """
    found: list[str] = []
    for row in (value if isinstance(value, list) else [value]) if more else []:
        if "config_vars" in more and "addon" in row:
            del row["config_vars"]
        if "addon:plan" in more and "addon" in row:
            del row["addon"]["plan"]
        for key, resource in (("plan", "plan"), ("addon_service", "add-on-service")):
            if key in more.split(",") and key in row:
                found += schema.resource(resource, row[key])
                row[key] = {name: row[key][name] for name in ("id", "name")}
    return value, found


def _judge_request(link: Link, asked: Any) -> list[str]:
    return [f"request: {problem}" for problem in problems(link.request, asked) if not overlooked(link, problem)]


def _best(verdicts: list[list[str]]) -> list[str]:
    """Return the mildest of several verdicts: one fitting endpoint is enough."""
    return min(verdicts, key=len, default=[])


def _judge_headers(exchange: Exchange) -> list[str]:
    names = ("request-id", "ratelimit-remaining", "etag")
    found = [f"no {name} header" for name in names if name not in exchange.headers]
    if (exchange.status == 206) != ("next-range" in exchange.headers):
        found.append("206 and Next-Range belong together")
    return found


def _judge_error(exchange: Exchange) -> list[str]:
    """Errors are ``{"id", "message"}``; only a gateway answers with a page."""
    if not exchange.is_json:
        return [] if exchange.status in (500, 502, 503) else ["an error that is no JSON"]
    value = json.loads(exchange.answered)
    if exchange.status == 500 and "bug" in value.get("message", ""):
        return ["the platform broke"]
    good = isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("id", "message"))
    return [] if good else [f"an error without id and message: {value}"]
