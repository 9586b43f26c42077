"""Gates of other packages in herodeploy.yml: their options are checked by what the package says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from herodeploy.config.problems import nearest
from herodeploy.config.values import refuse, shown
from herodeploy.errors import UsageError
from herodeploy.gates import plugins

if TYPE_CHECKING:
    from herodeploy.gates.registry import Gate


def options_of(kind: str, value: object) -> dict[str, Any]:
    """Return the checked options of a gate that is none of herodeploy's own.

    Raises:
        ValidationError: no package brings it, or its options are wrong; with the places in the file.
        PydanticCustomError: the package cannot be used.
    """
    try:
        gate = plugins.find(kind)
    except UsageError as error:
        raise refuse(f"cannot be read: {error.message}", error.hint) from None
    if gate is None:
        raise _wrong(InitErrorDetails(type="extra_forbidden", loc=(kind,), input=value))
    if not isinstance(value, dict):
        raise _wrong(_at((kind,), value, f"is {shown(value)}; it must be a mapping"))
    own = {name: each for name, each in value.items() if name != "name"}
    name = {"name": value["name"]} if "name" in value else {}
    return {**name, **(_by_names(gate, own) if gate.model is None else _by_model(gate, own))}


def _by_names(gate: Gate, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = [name for name in given if name not in gate.options]
    if unknown:
        raise _wrong(*(_no_option(gate, name, given[name], gate.options) for name in unknown))
    return dict(given)


def _by_model(gate: Gate, given: Mapping[str, Any]) -> dict[str, Any]:
    model: Any = gate.model
    try:
        with plugins.printing_aside():
            return dict(model.model_validate(dict(given)).model_dump(exclude_unset=True))
    except ValidationError as error:
        raise _wrong(*_in_our_words(gate, error)) from None
    except Exception as error:  # noqa: BLE001 - a model of somebody else's may raise anything
        raise refuse(f"cannot be read: gate '{gate.kind}' broke: {type(error).__name__}: {error}") from None


def _in_our_words(gate: Gate, error: ValidationError) -> Iterator[InitErrorDetails]:
    known = getattr(gate.model, "model_fields", {})
    for each in error.errors(include_url=False):
        place, value = each["loc"], each["input"]
        if each["type"] == "extra_forbidden":
            yield _no_option(gate, str(place[-1]), value, known)
        elif each["type"] == "missing":
            yield _at((gate.kind, *place), value, "is missing")
        else:
            message = each["msg"].removeprefix("Value error, ")
            yield _at((gate.kind, *place), value, f"is {shown(value)}: {message[:1].lower()}{message[1:]}")


def _no_option(gate: Gate, name: str, value: object, known: Any) -> InitErrorDetails:
    names = sorted({*known, "name"})
    return _at((gate.kind, name), value, f"is no option of gate '{gate.kind}'", nearest(name, names))


def _at(place: tuple[int | str, ...], value: object, text: str, hint: str | None = None) -> InitErrorDetails:
    return InitErrorDetails(type=refuse(text, hint), loc=place, input=value)


def _wrong(*details: InitErrorDetails) -> ValidationError:
    return ValidationError.from_exception_data("gate", list(details))
