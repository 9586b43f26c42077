"""What flows tell while they work; the command line decides how it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NoteKind = Literal["leg", "step", "output", "done", "failed", "wait", "info", "warning"]


@dataclass(frozen=True, slots=True)
class Note:
    """One thing worth telling.

    Parameters:
        kind: ``leg`` opens a leg, ``step`` says what begins, ``output`` is one line of build, test or
            release-phase output, ``done`` and ``failed`` end a step or leg, ``wait`` says what a gate waits for.
        text: one line, no secrets.
        leg: ``test`` or a stage's name, where there is one.
        app: the app it is about, where there is one.
        beside: other apps give output at the same time, so that each line has to name its app.
    """

    kind: NoteKind
    text: str
    leg: str | None = None
    app: str | None = None
    beside: bool = False


Report = Callable[[Note], None]
