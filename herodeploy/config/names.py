"""Names that Heroku accepts."""

from __future__ import annotations

import re

APP = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
PIPELINE = re.compile(r"[a-z][a-z0-9-]{2,29}")
APP_RULE = "3 to 30 small letters, digits and dashes, a letter first, no dash last"
PIPELINE_RULE = "3 to 30 small letters, digits and dashes, a letter first"


def valid(text: str, *, room: int = 30) -> str | None:
    """Return the nearest name to `text` that Heroku accepts for apps and pipelines, or None when nothing is left.

    Parameters:
        room: how long it may be at most, where something is put behind it.
    """
    text = re.sub(r"[^a-z0-9]+", "-", text.lower())
    text = shortened(re.sub(r"^[^a-z]+", "", text).rstrip("-"), room)
    return text if len(text) >= min(3, room) and APP.fullmatch(text) else None


def shortened(text: str, room: int) -> str:
    """Return a name in at most `room` characters: without its last words, where the first ones say enough."""
    if len(text) <= room:
        return text
    words = text[: room + 1].rpartition("-")[0]
    return (words if len(words) > room // 2 else text[:room]).rstrip("-")
