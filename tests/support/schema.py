"""Heroku's published hyper-schema, read strictly: what each endpoint may answer and be asked.

``strictProperties`` says in that schema: these properties, all of them, and no others. Plain resources must have all of
their properties too, but may have more. `DEVIATIONS` and `LENIENCIES` are the only exceptions, all in this file.
"""

from __future__ import annotations

import copy
import functools
import ipaddress
import json
import os
import re
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

FILE = Path(
    os.environ.get("HERODEPLOY_TEST_SCHEMA")
    or Path(__file__).resolve().parents[3] / "shared" / "heroku" / "schema.json"
)

DEVIATIONS: dict[str, Any] = {
    # Host names are this machine's.
    "app/definitions/git_url/pattern": None,
    "app/definitions/web_url/pattern": None,
    # The schema's own example is a bare host name.
    "domain/definitions/hostname/format": None,
    # The CLI prints the name of `GET /apps/:app/pipeline-couplings`; Heroku sends it.
    "pipeline-coupling/properties/pipeline/properties/name": {"type": ["string"]},
}
"""Where replies may differ: a place below ``definitions`` -> what stands there instead (None: nothing)."""

OPTIONAL = {
    "pipeline-coupling/properties/pipeline": ("name",),
}
"""Properties that a reply may lack: a place below ``definitions`` -> names."""

LENIENCIES: dict[str, tuple[str, ...]] = {
    # ps:scale sends "2", "+1" and a size by its name; heroku3 sends size null.
    "PATCH /apps/{}/formation": (
        r"updates\.\d+\.quantity: '[+-]?\d+' is not of type 'integer'",
        r"updates\.\d+: Additional properties are not allowed \('size' was unexpected\)",
    ),
    # authorizations:create sends no scope unless asked, and the text that its user wrote.
    "POST /oauth/authorizations": (r"expires_in: '\d+' is not of type .*", "'scope' is a required property"),
    # authorizations:update sends a client only where its user names one.
    "PATCH /oauth/authorizations/{}": ("'client' is a required property",),
    # heroku3 sends null for what its user leaves out.
    "POST /apps/{}/dynos": (r"size: None is not of type 'string'",),
    # heroku3 switches with 0 and 1.
    "PATCH /apps/{}": (r"maintenance: [01] is not of type 'boolean'",),
    "PATCH /apps/{}/features/{}": (r"enabled: [01] is not of type 'boolean'",),
    # addons:create, :upgrade and :attach name plans, add-ons and apps by an object; addons:rename sends no plan.
    "POST /apps/{}/addons": (r"plan: \{'name': '[^']+'\} is not valid .*",),
    "PATCH /apps/{}/addons/{}": (r"plan: \{'name': '[^']+'\} is not valid .*", "'plan' is a required property"),
    "POST /addon-attachments": (r"(addon|app): \{'name': '[^']+'\} is not valid .*",),
    # The CLI sends app null where it looks among all, and ids and app::name as its user wrote them.
    "POST /actions/addons/resolve": ("app: None is not of type 'string'", "addon: '[^']+' does not match .*"),
    "POST /actions/addon-attachments/resolve": ("app: None is not of type 'string'",),
    # heroku3 rolls back to what its user gave: 4 or "v4".
    "POST /apps/{}/releases": (r"release: '?v?\d+'? is not .*",),
}
"""What clients send although the schema forbids it, and the platform takes: an endpoint -> complaints to overlook."""


@dataclass(frozen=True)
class Link:
    """One endpoint of the schema.

    Attributes:
        path: as ``/apps/{}/builds``.
        reply: what a success carries; None where the schema does not tell.
        request: what a body must be; None where there is none.
    """

    method: str
    path: str
    pattern: re.Pattern[str]
    reply: Any
    request: Any


def overlooked(link: Link, problem: str) -> bool:
    """Tell whether a complaint about a request is one that real clients give reason for."""
    return any(re.fullmatch(pattern, problem) for pattern in LENIENCIES.get(f"{link.method} {link.path}", ()))


@functools.cache
def load() -> Schema:
    """Return the schema; skips the test, saying so, where it is not on this machine."""
    if not FILE.exists():
        pytest.skip("the published schema is not here (../shared/heroku/schema.json, or HERODEPLOY_TEST_SCHEMA)")
    return Schema(json.loads(FILE.read_text("utf-8")))


def published_requests() -> dict[str, list[Any]]:
    """Return the schema of each endpoint's body, without words for people: what the platform judges requests by."""
    found: dict[str, list[Any]] = {}
    definitions = json.loads(FILE.read_text("utf-8"))["definitions"]
    for definition in definitions.values():
        for link in definition.get("links", []):
            if "schema" in link and link["method"] != "GET":
                path = re.sub(r"\{[^}]*\}", "{}", urllib.parse.unquote(link["href"]))
                schema = _without_words(inlined(link["schema"], definitions))
                found.setdefault(f"{link['method']} {path}", []).append(schema)
    return found


WORDS = {
    "$schema",
    "strictProperties",
    "description",
    "title",
    "example",
    "default",
    "readOnly",
    "name",
    "identity",
    "stability",
}


def _without_words(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_words(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    return {
        key: {name: _without_words(inner) for name, inner in value.items()}
        if key in ("properties", "patternProperties")
        else _without_words(value)
        for key, value in node.items()
        if key not in WORDS
    }


class Schema:
    """The published schema, made strict."""

    def __init__(self, published: dict[str, Any]) -> None:
        lenient = copy.deepcopy(published["definitions"])
        _deviate(lenient)
        self._definitions = copy.deepcopy(lenient)
        _tighten(self._definitions)
        self.links = [link for name in lenient for link in self._links(lenient, name)]

    def resource(self, name: str, value: Any) -> list[str]:
        """Return what is wrong with the JSON of a resource."""
        return problems(self._validator(name), value)

    def matching(self, method: str, path: str) -> list[Link]:
        """Return the endpoints that serve a request, those with the most literal path."""
        found = [link for link in self.links if link.method == method and link.pattern.fullmatch(path)]
        fewest = min((link.path.count("{}") for link in found), default=0)
        return [link for link in found if link.path.count("{}") == fewest]

    @functools.cache  # noqa: B019 # there is one schema a process
    def _validator(self, name: str) -> Any:
        return validator(inlined({"$ref": f"#/definitions/{name}"}, self._definitions))

    def _links(self, definitions: dict[str, Any], name: str) -> Iterator[Link]:
        for link in definitions[name].get("links", []):
            href = urllib.parse.unquote(link["href"])
            path = re.sub(r"\{[^}]*\}", "{}", href)
            pattern = "[^/]+".join(re.escape(part) for part in path.split("{}"))
            yield Link(
                method=link["method"],
                path=path,
                pattern=re.compile(pattern),
                reply=self._reply(link, name),
                request=_request(link, definitions),
            )

    def _reply(self, link: dict[str, Any], name: str) -> Any:
        if link.get("rel") == "empty":
            return None
        target = link.get("targetSchema") or {"$ref": f"#/definitions/{name}"}
        if link.get("rel") == "instances" and "targetSchema" not in link:
            target = {"type": ["array"], "items": target}
        return validator(inlined(_closed(target), self._definitions))


def _closed(target: Any) -> Any:
    target = copy.deepcopy(target)
    _tighten(target)
    return target


def _request(link: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "schema" not in link:
        return None
    return validator(inlined(link["schema"], definitions))


def _deviate(definitions: Any) -> None:
    for place, instead in DEVIATIONS.items():
        *parents, last = place.split("/")
        node = functools.reduce(lambda inner, key: inner[key], parents, definitions)
        node.pop(last, None)
        if instead is not None:
            node[last] = instead


def _tighten(node: Any, place: str = "") -> None:
    """Ask for all properties, and for no others where the schema is strict."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and (node.get("strictProperties") or place.count("/") == 0):
            node["required"] = [name for name in node["properties"] if name not in OPTIONAL.get(place, ())]
        if node.get("strictProperties") and "properties" in node:
            node["additionalProperties"] = False
        for key, inner in node.items():
            if key != "links":
                _tighten(inner, f"{place}/{key}".lstrip("/"))
    elif isinstance(node, list):
        for inner in node:
            _tighten(inner, f"{place}/-")


def inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema without references, which validates several times as fast."""
    if isinstance(node, list):
        return [inlined(inner, definitions) for inner in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        keys = node["$ref"].removeprefix("#/definitions/").split("/")
        try:
            target = functools.reduce(lambda inner, key: inner[key], keys, definitions)
        except KeyError:  # the published schema has one reference that leads nowhere: anything goes
            return {}
        return inlined(target, definitions)
    return {key: inlined(inner, definitions) for key, inner in node.items() if key not in ("links", "definitions")}


def validator(schema: Any) -> Any:
    """Return a validator that also looks at formats."""
    from jsonschema import Draft4Validator

    return Draft4Validator(schema, format_checker=_formats())


def problems(check: Any, value: Any, most: int = 5) -> list[str]:
    """Return what is wrong with a value, at most so many sentences."""
    found = []
    for error in check.iter_errors(value):
        place = ".".join(map(str, error.absolute_path))
        found.append(f"{place}: {error.message[:300]}" if place else error.message[:300])
        if len(found) == most:
            break
    return found


@functools.cache
def _formats() -> Any:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    known = {
        "uuid": lambda text: str(uuid.UUID(text)) == text,
        "date-time": lambda text: datetime.fromisoformat(text).tzinfo is not None,
        "date": lambda text: bool(date.fromisoformat(text)),
        "email": lambda text: re.fullmatch(r"[^@\s]+@[^@\s]+", text) is not None,
        "uri": lambda text: all(urllib.parse.urlsplit(text)[:2]),
        "ipv4": lambda text: bool(ipaddress.IPv4Address(text)),
    }
    for name, is_good in known.items():
        checker.checks(name, raises=ValueError)(functools.partial(_is_format, is_good))
    return checker


def _is_format(is_good: Any, value: Any) -> bool:
    return not isinstance(value, str) or bool(is_good(value))
