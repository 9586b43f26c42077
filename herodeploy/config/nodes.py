"""A file's values together with where each stands, whatever language the file is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Node:
    """One value.

    Parameters:
        value: a scalar, a mapping of text to nodes, or a list of nodes.
        keys: of a mapping, where each key stands.
    """

    value: Any
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def place_of(self, path: Sequence[str | int]) -> Place:
        """Return where the value at `path` stands; a key where it has one, else the nearest thing around it."""
        node, place = self, self.place
        for step in path:
            child: Node | None = None
            if isinstance(node.value, dict) and isinstance(step, str):
                child = node.value.get(step)
            elif isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
                child = node.value[step]
            if child is None:
                break
            place = node.keys.get(str(step), child.place)
            node = child
        return place


def written(path: Sequence[str | int]) -> str:
    """Return a path as people write it: ``stages.production.waves[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
