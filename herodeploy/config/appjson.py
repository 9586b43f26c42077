"""app.json: what Heroku reads when it makes a review app or runs CI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from herodeploy.config import json_nodes
from herodeploy.config.nodes import Node, Path, written
from herodeploy.config.problems import complain, nearest, of_validation
from herodeploy.config.values import refuse
from herodeploy.errors import ConfigError


class Part(BaseModel):
    """A part of app.json; Heroku skips keys it does not know, so they are told and not refused."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, populate_by_name=True)


class EnvVar(Part):
    """A config var: a text, or where it comes from."""

    description: str | None = None
    value: str | None = None
    required: bool = True
    generator: Literal["secret"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"value": value}
        if value is None or not isinstance(value, dict):
            raise refuse("must be text or a mapping with `value` or `generator`", 'write it in quotes, such as "1"')
        return value


class Script(Part):
    """A script: the command, and the size of its dyno."""

    command: str
    size: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _command_alone(cls, value: Any) -> Any:
        return {"command": value} if isinstance(value, str) else value


class FormationEntry(Part):
    """How many dynos of a process type, and of which size."""

    quantity: int | None = Field(default=None, ge=0)
    size: str | None = None


class Addon(Part):
    """An add-on by plan."""

    plan: str
    alias: str | None = Field(default=None, alias="as")
    options: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _plan_alone(cls, value: Any) -> Any:
        return {"plan": value} if isinstance(value, str) else value


class Buildpack(Part):
    """A buildpack by registry name or URL."""

    url: str


class Manifest(Part):
    """What may stand at the top and, overriding it key by key, in an environment."""

    env: dict[str, EnvVar] | None = None
    scripts: dict[str, Script] | None = None
    formation: dict[str, FormationEntry] | None = None
    addons: list[Addon] | None = None
    buildpacks: list[Buildpack] | None = None
    stack: str | None = None


class Environments(Part):
    """The two kinds of app that app.json may treat differently."""

    test: Manifest | None = None
    review: Manifest | None = None


class AppJson(Manifest):
    """The whole file.

    Parameters:
        unknown: keys that Heroku does not know, each as ``app.json:5: ...``.
    """

    name: str | None = None
    description: str | None = None
    keywords: list[str] | None = None
    website: str | None = None
    repository: str | None = None
    logo: str | None = None
    success_url: str | None = None
    image: str | None = None
    environments: Environments | None = None
    unknown: tuple[str, ...] = Field(default=(), exclude=True, alias="\0unknown")

    @property
    def test_command(self) -> str | None:
        """What CI runs, where app.json says so."""
        test = self.environments.test if self.environments else None
        script = (test.scripts or {}).get("test") if test else None
        return script.command if script else None


def parse(text: str, file: str = "app.json") -> AppJson:
    """Return what `text` says.

    Raises:
        ConfigError: broken JSON with line and column, or values of the wrong kind.
    """
    node = json_nodes.read(text, file)
    if not isinstance(node.value, dict):
        raise ConfigError("the file must be an object: { ... }", file=file, line=node.place.line)
    try:
        read = AppJson.model_validate(node.plain())
    except ValidationError as error:
        complain(of_validation(error, AppJson), node, file)
        raise
    return read.model_copy(update={"unknown": tuple(_unknown(read, node, file, ()))})


def _unknown(part: Part, node: Node, file: str, path: Path) -> list[str]:
    found = []
    for key in part.model_extra or {}:
        if not key.startswith("$"):
            known = sorted(name for name in type(part).model_fields if name != "unknown")
            where = f" in {written(path)}" if path else ""
            line = node.place_of((*path, key)).line
            found.append(f"{file}:{line}: unknown key '{key}'{where} ({nearest(key, known)})")
    for name in type(part).model_fields:
        found += _unknown_below(getattr(part, name), node, file, (*path, name))
    return found


def _unknown_below(value: object, node: Node, file: str, path: Path) -> list[str]:
    if isinstance(value, Part):
        return _unknown(value, node, file, path)
    if isinstance(value, dict):
        return [line for key, each in value.items() for line in _unknown_below(each, node, file, (*path, key))]
    if isinstance(value, list):
        return [line for at, each in enumerate(value) for line in _unknown_below(each, node, file, (*path, at))]
    return []
