"""Procfile: process types and their commands."""

from __future__ import annotations

import re

from herodeploy.errors import ConfigError

LINE = re.compile(r"([\w-]+)\s*:\s*(.*)")


def parse(text: str, file: str = "Procfile") -> dict[str, str]:
    """Return the commands by process type.

    Raises:
        ConfigError: a line that is no ``type: command``, a type given twice, or no line at all.
    """
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        if match is None or not match[2]:
            what = "has no command" if match else "is no 'type: command' line"
            raise ConfigError(f"'{line}' {what}", file=file, line=number, hint="such as: web: gunicorn shop.wsgi")
        kind, command = match[1], match[2]
        if kind in found:
            message = f"process type '{kind}' is given twice; first on line {lines[kind]}"
            raise ConfigError(message, file=file, line=number, hint="remove one")
        found[kind], lines[kind] = command, number
    if not found:
        raise ConfigError("no process type is given", file=file, hint="such as: web: gunicorn shop.wsgi")
    return found
