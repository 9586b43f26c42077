"""What is wrong with a file, in words: place, value and way out."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from herodeploy.config.nodes import Node, Path, written
from herodeploy.config.values import shown
from herodeploy.errors import ConfigError

WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list, such as [one, two]",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at one path."""

    path: Path
    message: str
    hint: str | None = None


def complain(problems: Iterable[Problem], node: Node, file: str) -> None:
    """Raise all problems as one error, in the order of the file; nothing happens without any.

    Raises:
        ConfigError: at the first problem's line.
    """
    placed = sorted(((node.place_of(each.path), each) for each in problems), key=lambda pair: pair[0].line)
    if not placed:
        return
    place, first = placed[0]
    if len(placed) == 1:
        raise ConfigError(first.message, file=file, line=place.line, hint=first.hint)
    others = [f"{file}:{where.line}: {_with_hint(each)}" for where, each in placed[1:]]
    raise ConfigError(_with_hint(first), file=file, line=place.line, others=others)


def _with_hint(problem: Problem) -> str:
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def of_validation(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return pydantic's findings in our words."""
    problems = [_problem(dict(each), model) for each in error.errors(include_url=False)]
    hints = [each.hint or "" for each in problems if each.message.startswith("unknown")]
    # A misspelt key is one mistake, not an unknown key and a missing one.
    return [each for each in problems if not any(_is_about(hint, each.message) for hint in hints)]


def _is_about(hint: str, message: str) -> bool:
    where, _, rest = message.partition(" ")
    return rest == "is missing" and hint == f"did you mean '{where.rpartition('.')[2]}'?"


def _problem(error: Mapping[str, Any], model: type[BaseModel]) -> Problem:
    path: Path = tuple(error["loc"])
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    where = written(path) or "the file"
    if kind == "extra_forbidden":
        return _unknown_key(path, model)
    if kind == "missing":
        return Problem(path[:-1], f"{where} is missing", _description(path, model))
    if kind == "refused":
        return Problem(path, f"{where} {context['text']}", context["hint"])
    if kind == "literal_error":
        return _no_choice(path, value, context["expected"])
    if kind in ("too_short", "string_too_short") or (value is None and kind in WANTED):
        return Problem(path, f"{where} is empty", _description(path, model))
    if kind in WANTED:
        return Problem(path, f"{where} is {shown(value)}; it must be {WANTED[kind]}", _quote(kind, value))
    message = error["msg"].removeprefix("Input should be ")
    return Problem(path, f"{where} is {shown(value)}; it must be {message}")


def _unknown_key(path: Path, model: type[BaseModel]) -> Problem:
    *parent, key = path
    known = sorted(_keys(_model_at(parent, model)))
    what = "key"
    if parent and "gates" in parent[-2:]:
        from herodeploy.gates import plugins

        what, known = "gate", sorted({*known, *plugins.kinds()})
    where = f" in {written(parent)}" if parent else ""
    return Problem(path, f"unknown {what} '{key}'{where}", nearest(str(key), known))


def _no_choice(path: Path, value: object, expected: str) -> Problem:
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    return Problem(path, f"{written(path)} is {shown(value)}", nearest(str(value), choices))


def nearest(word: str, known: Sequence[str]) -> str:
    """Return what to write instead of `word`."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(known)}"


def _quote(kind: str, value: object) -> str | None:
    if kind == "string_type" and not isinstance(value, list | dict):
        return f'put it in quotes: "{shown(value)}"'
    return None


def _description(path: Path, model: type[BaseModel]) -> str | None:
    parent = _model_at(path[:-1], model)
    fields = parent.model_fields.items() if parent and path else ()
    return next((field.description for name, field in fields if (field.alias or name) == path[-1]), None)


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_at(path: Sequence[str | int], model: type[BaseModel]) -> type[BaseModel] | None:
    at: Any = model
    for step in path:
        if isinstance(at, type) and issubclass(at, BaseModel):
            by_key = {field.alias or name: field for name, field in at.model_fields.items()}
            at = _inner(by_key[str(step)].annotation) if str(step) in by_key else None
        else:
            arguments = typing.get_args(at)
            at = _inner(arguments[-1]) if arguments else None
    return at if isinstance(at, type) and issubclass(at, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """Return an annotation without ``| None`` and ``Annotated``."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _inner(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _inner(next(each for each in typing.get_args(annotation) if each is not type(None)))
    return annotation
