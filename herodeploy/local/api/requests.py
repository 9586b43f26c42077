"""What Heroku's published API takes: the shape of every request's body, and what real clients send beside it.

``requests.json`` beside this file has the types, patterns and required keys of Heroku's schema, by endpoint
(github.com/heroku/platform-api-schemas; MIT).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from herodeploy.local.wire.errors import ApiError, invalid

FILE = Path(__file__).with_name("requests.json")

_OBJECT_TOO: dict[str, Any] = {"anyOf": [{"type": ["string", "object"]}]}
_ALSO_0_AND_1: dict[str, Any] = {"type": None, "anyOf": [{"type": ["boolean"]}, {"enum": [0, 1]}]}
_SAID_BY_HEROKU: dict[str, Any] = {"properties": {"name": {"pattern": None}}}
"""The handler refuses such names in Heroku's own words."""

LENIENCIES: dict[str, dict[str, Any]] = {
    "POST /apps": _SAID_BY_HEROKU,
    "PATCH /pipelines/{}": _SAID_BY_HEROKU,
    "POST /pipelines": _SAID_BY_HEROKU,
    # heroku3 switches with 0 and 1.
    "PATCH /apps/{}": {"properties": {"name": {"pattern": None}, "maintenance": _ALSO_0_AND_1}},
    "PATCH /apps/{}/features/{}": {"properties": {"enabled": _ALSO_0_AND_1}},
    # ps:scale sends "2", "+1" and a size by its name; heroku3 sends size null.
    "PATCH /apps/{}/formation": {
        "properties": {"updates": {"items": {"properties": {"quantity": {"type": ["integer", "string"]}, "size": {}}}}}
    },
    "POST /apps/{}/dynos": {"properties": {"size": {"type": ["string", "null"]}}},
    # authorizations:create sends no scope unless asked, and the text that its user wrote; :update maybe no client.
    "POST /oauth/authorizations": {"required": None, "properties": {"expires_in": {"type": None}}},
    "PATCH /oauth/authorizations/{}": {"required": None},
    # addons:create, :upgrade and :attach name plans, add-ons and apps by an object; addons:rename sends no plan.
    "POST /apps/{}/addons": {"properties": {"plan": _OBJECT_TOO}},
    "PATCH /apps/{}/addons/{}": {"required": None, "properties": {"plan": _OBJECT_TOO}},
    "POST /addon-attachments": {"properties": {"addon": _OBJECT_TOO, "app": _OBJECT_TOO}},
    # The CLI sends app null where it looks among all, and ids and app::name as its user wrote them.
    "POST /actions/addons/resolve": {
        "properties": {"app": {"type": ["string", "null"]}, "addon": {"pattern": None}},
    },
    "POST /actions/addon-attachments/resolve": {"properties": {"app": {"type": ["string", "null"]}}},
    # heroku3 rolls back to what its user gave: 4 or "v4".
    "POST /apps/{}/releases": {"properties": {"release": {"format": None, "type": ["string", "integer"]}}},
}
"""What clients send although the schema forbids it: an endpoint -> a merge patch (RFC 7396) of its schema."""


def check(endpoint: str, body: bytes) -> None:
    """Refuse a body that Heroku's schema does not allow; one that is empty or no object is the handler's to judge.

    Parameters:
        endpoint: a method and a path, its parameters as ``{}``.

    Raises:
        ApiError: 422.
    """
    checks = _validators(endpoint)
    if not checks or not body.strip():
        return
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    found = [next(each.iter_errors(value), None) for each in checks] if isinstance(value, dict) else [None]
    if None not in found:
        raise _refusal(found[0])


def nameless(path: str) -> str:
    """Return a path without the names of its parameters, which are ``{}`` then."""
    return re.sub(r"\{[^}]*\}", "{}", path)


@cache
def _validators(endpoint: str) -> tuple[Any, ...]:
    """Return what judges an endpoint's requests; those of several endpoints under one path are one list."""
    published: list[Any] = _published().get(endpoint, [])
    if not published:
        return ()
    from jsonschema import Draft4Validator, FormatChecker

    formats = FormatChecker(formats=())
    formats.checks("uuid")(lambda text: not isinstance(text, str) or _UUID.fullmatch(text) is not None)
    formats.checks("email")(lambda text: not isinstance(text, str) or _EMAIL.fullmatch(text) is not None)
    patch = LENIENCIES.get(endpoint, {})
    return tuple(Draft4Validator(_patched(schema, patch), format_checker=formats) for schema in published)


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@cache
def _published() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read


def _patched(value: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    kept = dict(value) if isinstance(value, dict) else {}
    merged = {key: _patched(kept.get(key), inner) for key, inner in patch.items() if inner is not None}
    return {key: inner for key, inner in kept.items() if key not in patch} | merged


def _refusal(error: Any) -> ApiError:
    """Say what is wrong without the value, which may be a secret."""
    place = ".".join(map(str, error.absolute_path)) or "The request body"
    match error.validator:
        case "type":
            return invalid(f"{place} must be of type {' or '.join(error.validator_value)}.")
        case "format":
            return invalid(f"{place} must be a {error.validator_value}.")
        case "pattern":
            return invalid(f"{place} must match {error.validator_value}.")
        case "enum":
            return invalid(f"{place} must be one of {', '.join(map(str, error.validator_value))}.")
        case "required" | "additionalProperties":
            return invalid(f"{place}: {error.message}.")
    return invalid(f"{place} is not what Heroku's API takes there.")
