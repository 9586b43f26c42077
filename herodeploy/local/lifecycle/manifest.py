"""app.json, as the platform reads it when it makes an app: by app setups, review apps and test runs."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

FILE = "app.json"
ENVIRONMENTS = ("test", "review")
MOST_NODES = 32

_KEY = re.compile(r"\w+", re.ASCII)
_TYPE = re.compile(r"[-\w]{1,128}")


class ManifestInvalid(Exception):
    """An app.json that cannot be followed.

    Parameters:
        errors: one sentence each.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Variable:
    """A config var that an app.json declares; `secret` ones are generated."""

    value: str | None = field(default=None, repr=False)
    required: bool = True
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """How many dynos of a process type; None where app.json does not say."""

    quantity: int | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True)
class AddonOrder:
    """An add-on that app.json asks for, by its plan; `alias` names its attachment (``as``)."""

    plan: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One app.json for one purpose; without any, everything is empty."""

    env: Mapping[str, Variable] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    formation: Mapping[str, Scale] = field(default_factory=dict)
    buildpacks: tuple[str, ...] = ()
    addons: tuple[AddonOrder, ...] = ()
    stack: str | None = None
    success_url: str | None = None

    @property
    def test_nodes(self) -> int:
        """How many nodes a test run has: ``formation.test.quantity``, from 1 to 32."""
        quantity = self.formation.get("test", Scale()).quantity
        return min(max(quantity or 1, 1), MOST_NODES)

    def config(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the config vars of a new app: app.json's own, then what was given, which wins.

        Raises:
            ManifestInvalid: a required one has no value.
        """
        missing = [name for name, var in self.env.items() if _lacks(var) and name not in given]
        if missing:
            raise ManifestInvalid([f"config var {name} is required" for name in missing])
        own = {name: _value(var) for name, var in self.env.items() if name not in given}
        return {name: value for name, value in own.items() if value is not None} | dict(given)


def parse(text: str | None, environment: str | None = None) -> Manifest:
    """Read an app.json; None is one that does not exist.

    Parameters:
        environment: ``test`` or ``review``: each key in ``environments.<environment>`` replaces the whole key of the
            same name, nothing is merged.

    Raises:
        ManifestInvalid: no JSON object, or values of the wrong kind; every one is named.
    """
    if text is None:
        return Manifest()
    try:
        body = json.loads(text)
    except ValueError as problem:
        raise ManifestInvalid([f"{FILE} is no valid JSON: {problem}"]) from None
    if not isinstance(body, dict):
        raise ManifestInvalid([f"{FILE} must be a JSON object"])
    reader = _Reader(body, environment)
    manifest = reader.manifest()
    if reader.errors:
        raise ManifestInvalid(reader.errors)
    return manifest


class _Reader:
    """Reads every key and collects what is wrong."""

    def __init__(self, body: dict[str, Any], environment: str | None) -> None:
        self.errors: list[str] = []
        self._prefix: dict[str, str] = {}
        self._body = body
        if environment is not None:
            self._override(environment)

    def manifest(self) -> Manifest:
        return Manifest(
            env={name: self._variable(name, value) for name, value in self._section("env").items()},
            scripts=self._scripts(),
            formation={name: self._scale(name, value) for name, value in self._section("formation").items()},
            buildpacks=self._listed("buildpacks", "url"),
            addons=self._addons(),
            stack=self._text("stack"),
            success_url=self._text("success_url"),
        )

    def _override(self, environment: str) -> None:
        over = self._section("environments").get(environment)
        if over is None:
            return
        if not isinstance(over, dict):
            self.errors.append(f"environments.{environment} must be an object")
            return
        self._prefix = dict.fromkeys(over, f"environments.{environment}.")
        self._body = self._body | over

    def _place(self, key: str) -> str:
        return f"{self._prefix.get(key, '')}{key}"

    def _section(self, key: str) -> dict[str, Any]:
        value = self._body.get(key)
        if value is None or isinstance(value, dict):
            return value or {}
        self.errors.append(f"{self._place(key)} must be an object")
        return {}

    def _text(self, key: str) -> str | None:
        value = self._body.get(key)
        if value is None or isinstance(value, str):
            return value or None
        self.errors.append(f"{self._place(key)} must be a string")
        return None

    def _variable(self, name: str, value: Any) -> Variable:
        place = f"{self._place('env')}.{name}"
        if not _KEY.fullmatch(name) or name.startswith("__"):
            self.errors.append(f"{place} is no name for a config var")
        if isinstance(value, str):
            value = {"value": value}
        if not isinstance(value, dict):
            self.errors.append(f"{place} must be a string or an object")
            return Variable()
        content, generator, required = value.get("value"), value.get("generator"), value.get("required", True)
        if content is not None and not isinstance(content, str):
            self.errors.append(f"{place}.value must be a string")
        if isinstance(content, str) and "\0" in content:
            self.errors.append(f"{place} must not hold a NUL character")
        if generator not in (None, "secret"):
            self.errors.append(f"{place}.generator must be 'secret'")
        if not isinstance(required, bool):
            self.errors.append(f"{place}.required must be true or false")
        return Variable(content if isinstance(content, str) else None, required is not False, generator == "secret")

    def _scripts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self._section("scripts").items():
            command = value.get("command") if isinstance(value, dict) else value
            if isinstance(command, str):
                found[name] = command
            else:
                self.errors.append(f"{self._place('scripts')}.{name} must be a command")
        return {name: command for name, command in found.items() if command.strip()}

    def _scale(self, name: str, value: Any) -> Scale:
        place = f"{self._place('formation')}.{name}"
        if not _TYPE.fullmatch(name):
            self.errors.append(f"{place} is no name for a process type")
        if not isinstance(value, dict):
            self.errors.append(f"{place} must be an object")
            return Scale()
        quantity, size = value.get("quantity"), value.get("size")
        if quantity is not None and not _is_count(quantity):
            self.errors.append(f"{place}.quantity must be a whole number, 0 or more")
        if size is not None and not isinstance(size, str):
            self.errors.append(f"{place}.size must be a string")
        return Scale(quantity if _is_count(quantity) else None, size if isinstance(size, str) else None)

    def _listed(self, key: str, inner: str) -> tuple[str, ...]:
        """Read a list of strings, or of objects that hold the string under `inner`."""
        value = self._body.get(key)
        if value is not None and not isinstance(value, list):
            self.errors.append(f"{self._place(key)} must be an array")
        found = []
        for number, item in enumerate(value if isinstance(value, list) else []):
            text = item.get(inner) if isinstance(item, dict) else item
            if isinstance(text, str) and text:
                found.append(text)
            else:
                self.errors.append(f"{self._place(key)}[{number}] must have a {inner}")
        return tuple(found)

    def _addons(self) -> tuple[AddonOrder, ...]:
        plans = self._listed("addons", "plan")
        items = self._body.get("addons")
        if self.errors or not isinstance(items, list):
            return ()
        aliases = [item.get("as") if isinstance(item, dict) else None for item in items]
        for number, alias in enumerate(aliases):
            if alias is not None and not isinstance(alias, str):
                self.errors.append(f"{self._place('addons')}[{number}].as must be a string")
        return tuple(AddonOrder(plan, alias or None) for plan, alias in zip(plans, aliases, strict=True))


def _lacks(var: Variable) -> bool:
    return var.required and not var.secret and var.value is None


def _value(var: Variable) -> str | None:
    return secrets.token_hex(32) if var.secret and not var.value else var.value


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
