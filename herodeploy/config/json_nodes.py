"""JSON to nodes: the standard library parses, a second walk over the proven text finds the lines."""

from __future__ import annotations

import json
import re
from typing import Any

from herodeploy.config.nodes import Node, Place
from herodeploy.errors import ConfigError

BLANK = re.compile(r"[ \t\r\n]*")


def read(text: str, file: str) -> Node:
    """Return the value in `text`.

    Raises:
        ConfigError: broken JSON, or a key given twice.
    """
    text = text.removeprefix("\ufeff")
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ConfigError("broken JSON: an escape is half a surrogate pair", file=file) from None
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"broken JSON: {error.msg[0].lower()}{error.msg[1:]}", file=file, line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise ConfigError("broken JSON: nested too deeply", file=file) from None
    return _Reader(text, file).node(0)[0]


class _Reader:
    """Walks text that is known to be JSON."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.decoder = json.JSONDecoder()

    def node(self, at: int) -> tuple[Node, int]:
        at = self._blank(at)
        if self.text[at] == "{":
            return self._object(at)
        if self.text[at] == "[":
            return self._array(at)
        value, end = self.decoder.raw_decode(self.text, at)
        return Node(value, self._place(at)), end

    def _object(self, start: int) -> tuple[Node, int]:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        at = self._blank(start + 1)
        while self.text[at] != "}":
            place = self._place(at)
            name, at = self.decoder.raw_decode(self.text, at)
            if name in keys:
                message = f"key '{name}' is given twice; first on line {keys[name].line}"
                raise ConfigError(message, file=self.file, line=place.line, column=place.column, hint="remove one")
            keys[name] = place
            values[name], at = self.node(self._blank(at) + 1)
            at = self._next(at)
        return Node(values, self._place(start), keys), at + 1

    def _array(self, start: int) -> tuple[Node, int]:
        values: list[Any] = []
        at = self._blank(start + 1)
        while self.text[at] != "]":
            value, at = self.node(at)
            values.append(value)
            at = self._next(at)
        return Node(values, self._place(start)), at + 1

    def _next(self, at: int) -> int:
        at = self._blank(at)
        return self._blank(at + 1) if self.text[at] == "," else at

    def _blank(self, at: int) -> int:
        found = BLANK.match(self.text, at)
        return found.end() if found else at

    def _place(self, at: int) -> Place:
        return Place(self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at))
