"""Procfile: which command runs which process type."""

from __future__ import annotations

import re
from collections.abc import Callable

LINE = re.compile(r"(?P<type>[-\w]{1,128}):\s*(?P<command>\S.*)")


def parse(text: str, warn: Callable[[str], None]) -> dict[str, str]:
    """Return process type -> command; the last line of a type wins.

    Parameters:
        warn: gets a sentence for each line that is none of ``type: command``, blank or a comment.
    """
    types: dict[str, str] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = LINE.fullmatch(stripped)
        if found is None:
            warn(f"Procfile:{number}: {stripped!r} is no 'type: command' line and is ignored")
        else:
            types[found["type"]] = found["command"]
    return types
