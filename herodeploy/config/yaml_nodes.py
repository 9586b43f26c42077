"""YAML to nodes: PyYAML's own marks say where each value stands."""

from __future__ import annotations

from typing import Any

import yaml

from herodeploy.config.nodes import Node, Place
from herodeploy.errors import ConfigError

MERGE = "tag:yaml.org,2002:merge"


def read(text: str, file: str) -> Node:
    """Return the one document in `text`.

    Raises:
        ConfigError: broken YAML, a key given twice, or nothing at all.
    """
    loader: yaml.SafeLoader | None = None
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise ConfigError("the file is empty", file=file, hint="herodeploy init writes one")
        return _Reader(loader, file).node(root)
    except yaml.MarkedYAMLError as error:
        raise _broken(error, file) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        raise ConfigError(
            f"a character that YAML does not allow: {error.reason}",
            file=file,
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
        ) from None
    finally:
        if loader is not None:
            loader.dispose()


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        self.open: set[int] = set()

    def node(self, node: yaml.Node) -> Node:
        if isinstance(node, yaml.ScalarNode):
            return Node(self._scalar(node), _place(node))
        if id(node) in self.open:
            raise self._error("an alias stands inside what it names", node)
        self.open.add(id(node))
        try:
            return self._mapping(node) if isinstance(node, yaml.MappingNode) else self._list(node)
        finally:
            self.open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            # Half a surrogate pair, written as an escape, cannot be encoded: a ValueError too.
            str(node.value).encode()
            return self.loader.construct_object(node)
        except ValueError:
            raise self._error(f"{node.value[:60]!a} is no value", node, "put it in quotes") from None

    def _list(self, node: yaml.Node) -> Node:
        return Node([self.node(item) for item in node.value], _place(node))

    def _mapping(self, node: yaml.MappingNode) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            if key.tag == MERGE:
                self._merge(merged, value)
                continue
            name = self._key(key)
            if name in keys:
                raise self._error(f"key '{name}' is given twice; first on line {keys[name].line}", key, "remove one")
            keys[name] = _place(key)
            values[name] = self.node(value)
        return Node({**merged, **values}, _place(node), keys)

    def _merge(self, into: dict[str, Node], node: yaml.Node) -> None:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            read = self.node(source)
            if not isinstance(read.value, dict):
                raise self._error("<< wants a mapping", node)
            for name, value in read.value.items():
                into.setdefault(name, value)

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            self._scalar(yaml.ScalarNode("tag:yaml.org,2002:str", node.value, node.start_mark, node.end_mark))
            return str(node.value)
        raise self._error("a key must be a plain word", node)

    def _error(self, message: str, node: yaml.Node, hint: str | None = None) -> ConfigError:
        place = _place(node)
        return ConfigError(message, file=self.file, line=place.line, column=place.column, hint=hint)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _broken(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    mark: Any = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    message = f"broken YAML: {error.problem or error.context}"
    if error.context and error.problem:
        since: Any = error.context_mark
        begun = f" begun on line {since.line + 1}" if since and mark and since.line != mark.line else ""
        message += f" ({error.context}{begun})"
    hint = None
    if "'\\t'" in message:
        hint = "indent with spaces; YAML allows no tabs"
    elif "could not find expected ':'" in message or "mapping values are not allowed" in message:
        hint = "look at the indentation and colons of this line and the one before"
    return ConfigError(message, file=file, line=line, column=column, hint=hint)
