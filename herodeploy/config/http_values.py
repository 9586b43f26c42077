"""Web addresses and expressions of herodeploy.yml."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema

from herodeploy.config.values import refuse, shown
from herodeploy.domain.secret import OURS
from herodeploy.gates.expression import expression
from herodeploy.gates.http import VARIABLE

_EXAMPLE = "such as `status == 200 and body.state == 'ready'`"


def _url(value: object) -> object:
    if not isinstance(value, str):
        return value
    _variables(value)
    plain = VARIABLE.sub("x", value)
    try:
        parts = urlsplit(plain)
        _ = parts.port
    except ValueError:
        raise refuse("is no web address", "such as https://qa.example.com/ready") from None
    if parts.username is not None or parts.password is not None:
        # Not quoted: there may be a password in it.
        way_out = "headers: {Authorization: 'Bearer ${QA_TOKEN}'}, and set QA_TOKEN in the environment"
        raise refuse("has a user or a password in it", way_out)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", plain):
        raise refuse(
            f"is {shown(value.partition('?')[0])}, which is no web address", "such as https://qa.example.com/ready"
        )
    return value


def _filled(value: object) -> object:
    """Check the variables in all texts of a value."""
    if isinstance(value, str):
        _variables(value)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _filled(each)
    return value


def _variables(text: str) -> None:
    for name in VARIABLE.findall(text):
        if name in OURS:
            raise refuse(f"wants ${{{name}}}, a secret of herodeploy itself, which it sends to nobody else")
    if "${" in VARIABLE.sub("", text):
        raise refuse("has a ${ without a name and }", "such as ${QA_TOKEN}, an environment variable")


def _expression(value: object) -> object:
    if isinstance(value, str):
        try:
            expression(value)
        except ValueError as error:
            raise refuse(f"is {shown(value)}: {error}", _EXAMPLE) from None
    elif isinstance(value, bool | int | float):
        raise refuse(f"is {shown(value)}, which is no expression", _EXAMPLE)
    return value


def _body(value: object) -> object:
    if not isinstance(value, str | dict | list):
        raise refuse(f"is {shown(value)}; it must be text, or a mapping or list that is sent as JSON")
    return _filled(value)


_BODY_SCHEMA: dict[str, Any] = {"anyOf": [{"type": each} for each in ("string", "object", "array")]}
Url = Annotated[str, BeforeValidator(_url)]
Filled = Annotated[str, Field(max_length=4096), BeforeValidator(_filled)]
Expression = Annotated[str, BeforeValidator(_expression)]
Body = Annotated[Any, BeforeValidator(_body), WithJsonSchema(_BODY_SCHEMA)]
