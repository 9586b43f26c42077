"""Values of herodeploy.yml that check themselves."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from herodeploy.config import durations, names


def refuse(message: str, hint: str | None = None) -> PydanticCustomError:
    """Return an error whose `message` continues the path, such as ``is 'x', which ...``."""
    # Braces would be taken for a template.
    return PydanticCustomError("refused", "{text}", {"text": message, "hint": hint})


def _duration(value: object) -> timedelta:
    example = "write a number and a unit: 60s, 15m, 1h30m, 5d"
    if isinstance(value, bool) or not isinstance(value, str):
        unit = f"; perhaps {value}s" if isinstance(value, int) and not isinstance(value, bool) else ""
        raise refuse(f"is {shown(value)}, which is no length of time", example + unit)
    try:
        length = durations.parse(value)
    except ValueError:
        raise refuse(f"is {shown(value)}, which is no length of time", example) from None
    if length <= timedelta(0):
        raise refuse(f"is {shown(value)}; it must be longer than nothing", example)
    return length


def _share(value: object) -> str:
    match = re.fullmatch(SHARE, value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise refuse(f"is {shown(value)}, which is no share", "write a number and %: 1%, 0.5%, 100%")
    return match[0]


def _app_name(value: object) -> object:
    if isinstance(value, str) and not names.APP.fullmatch(value):
        raise refuse(f"is '{value}', an app name that Heroku refuses ({names.APP_RULE})", _nearest(value))
    return value


def _pipeline_name(value: object) -> object:
    if isinstance(value, str) and not names.PIPELINE.fullmatch(value):
        raise refuse(f"is '{value}', a pipeline name that Heroku refuses ({names.PIPELINE_RULE})", _nearest(value))
    return value


def _nearest(value: str) -> str | None:
    nearest = names.valid(value)
    return f"such as '{nearest}'" if nearest else None


def _path(value: object) -> object:
    if isinstance(value, str) and (not value.startswith("/") or any(character.isspace() for character in value)):
        raise refuse(f"is '{value}'; it must begin with / and hold no blanks", "such as /healthz")
    return value


def shown(value: object) -> str:
    """Return a value as an error quotes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if not isinstance(value, str):
        return str(value)[:60]
    return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"


DURATION_SCHEMA = {"type": "string", "pattern": durations.PATTERN}
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(durations.write, return_type=str, when_used="json"),
    WithJsonSchema(DURATION_SCHEMA),
]
SHARE = r"(\d+(?:\.\d+)?)%"
Share = Annotated[str, BeforeValidator(_share), WithJsonSchema({"type": "string", "pattern": f"^{SHARE}$"})]
AppName = Annotated[
    str, BeforeValidator(_app_name), WithJsonSchema({"type": "string", "pattern": f"^{names.APP.pattern}$"})
]
PipelineName = Annotated[
    str, BeforeValidator(_pipeline_name), WithJsonSchema({"type": "string", "pattern": f"^{names.PIPELINE.pattern}$"})
]
UrlPath = Annotated[str, BeforeValidator(_path)]


class Section(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
