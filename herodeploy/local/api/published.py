"""What Heroku's published API has, and which part of it this platform serves.

``published.tsv`` beside this file lists the links of Heroku's schema (github.com/heroku/platform-api-schemas; MIT).
"""

# ruff: noqa: ARG001 # every handler takes the same two arguments

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local.api import requests, routing
from herodeploy.local.wire.errors import not_served

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FILE = Path(__file__).with_name("published.tsv")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One link of the schema."""

    resource: str
    method: str
    path: str
    title: str

    @property
    def key(self) -> tuple[str, str]:
        """Return what two paths have in common that differ in the names of their parameters."""
        return shape(self.method, self.path)


@cache
def endpoints() -> tuple[Endpoint, ...]:
    """Return every endpoint that Heroku publishes."""
    return tuple(Endpoint(*line.split("\t")) for line in FILE.read_text("utf-8").splitlines())


def shape(method: str, path: str) -> tuple[str, str]:
    """Return a method and a path without the names of its parameters."""
    return method, requests.nameless(path)


def unserved(platform: Platform, served: Iterable[Route]) -> list[Route]:
    """Return endpoints that answer 501 for all that Heroku has and this platform has not."""
    known = shapes(served)
    missing = {each.key: each for each in endpoints() if each.key not in known}
    return [_refusing(platform, each) for each in missing.values()]


def shapes(served: Iterable[Route]) -> set[tuple[str, str]]:
    """Return the shape of every endpoint that is served."""
    return {shape(method, route.path) for route in served for method in route.methods or ()}


def coverage(served: Iterable[Route]) -> str:
    """Return the table of what is served, for the manual."""
    known = shapes(served)
    lines = ["| resource | served | not served |", "|---|---|---|"]
    for resource, links in _by_resource().items():
        yes, no = ([_cell(each) for each in links if (each.key in known) is wanted] for wanted in (True, False))
        if yes:
            lines.append(f"| {resource} | {'<br>'.join(yes)} | {'<br>'.join(no)} |")
    none = [name for name, links in _by_resource().items() if not any(each.key in known for each in links)]
    total = sum(each.key in known for each in endpoints())
    head = f"{total} of the {len(endpoints())} endpoints of Heroku's published schema are served."
    tail = f"Nothing is served of: {', '.join(none)}." if none else ""
    return "\n".join([head, "", *lines, "", tail]).rstrip() + "\n"


def _by_resource() -> dict[str, list[Endpoint]]:
    found: dict[str, list[Endpoint]] = {}
    for each in endpoints():
        found.setdefault(each.resource, []).append(each)
    return found


def _cell(endpoint: Endpoint) -> str:
    path = re.sub(r"\{([^}]*)\}", r":\1", endpoint.path)
    return f"`{endpoint.method} {path}`"


def _refusing(platform: Platform, endpoint: Endpoint) -> Route:
    async def refuse(platform: Platform, request: Request) -> Any:
        raise not_served(request.method, endpoint.path)

    # The schema names two parameters of a path alike, and parameters with dashes; here they only have to be there.
    names = itertools.count()
    path = re.sub(r"\{[^}]*\}", lambda _: f"{{part{next(names)}}}", endpoint.path)
    return routing.route(platform, endpoint.method, path, refuse)
