"""Editable installs name the build's folder; a slug runs from another one."""

from __future__ import annotations

import os
import re
from pathlib import Path


def editables(environment: Path, app: Path) -> None:
    """Make what ``-e`` left in site-packages relative to it."""
    for site in environment.glob("lib/python*/site-packages"):
        for file in [*site.glob("*.pth"), *site.glob("__editable__*.py")]:
            text = file.read_text(errors="surrogateescape")
            if str(app) in text:
                _replace(file, _relative(text, file, app))


def _relative(text: str, file: Path, app: Path) -> str:
    up = os.path.relpath(app, file.parent)
    if file.suffix == ".pth":  # site.py joins each line with the folder of the file
        return "\n".join(line.replace(str(app), up) if line.startswith(str(app)) else line for line in text.split("\n"))
    here = "__import__('os').path.join(__import__('os').path.dirname(__file__), {!r})"
    return re.sub(f"'{re.escape(str(app))}([^']*)'", lambda found: here.format(up + found[1]), text)


def _replace(file: Path, text: str) -> None:
    """Write a new file: the old one may be shared with uv's cache."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text, errors="surrogateescape")
    fresh.replace(file)
