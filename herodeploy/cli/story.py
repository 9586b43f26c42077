"""How a delivery's story looks: plain lines for files and pipes, colours and a moving last line on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from herodeploy.cli.layout import NARROWEST, clean, lasted

if TYPE_CHECKING:
    from herodeploy.domain.progress import Note

ENDS = ("done", "failed")


class Story(Protocol):
    """Tells notes as they come."""

    def tell(self, note: Note) -> None:
        """Tell one note."""

    def pause(self) -> None:
        """Leave the terminal to somebody else until the next note."""

    def close(self) -> None:
        """Tell no more."""


class Times:
    """How long each step has lasted: a note that ends a step is measured from the note that began it."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str | None, str | None], float] = {}

    def of(self, note: Note) -> str:
        """Return how long the step that this note ends has lasted, or nothing."""
        key = (note.leg, note.app)
        if note.kind == "step":
            self._begun[key] = time.monotonic()
        began = self._begun.pop(key, None) if note.kind in ENDS else None
        return lasted(time.monotonic() - began) if began is not None else ""


class PlainStory:
    """One line a note: ``[staging] shop-staging: v3 released (4s)``, output as ``[staging] | line``.

    Where several apps speak at the same time, output is ``[production] shop-eu | line``.

    Parameters:
        write: takes one line.
    """

    WORDS: ClassVar = {"failed": "FAILED: ", "wait": "waiting: ", "warning": "warning: "}

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._times = Times()
        self._speaker: tuple[str | None, str | None] = (None, None)
        self._last = ("", "")

    def tell(self, note: Note) -> None:
        """Tell one note."""
        leg = f"[{note.leg}] " if note.leg else ""
        if note.kind == "output":
            named = note.app if note.beside else None
            if note.app and not named and (note.leg, note.app) != self._speaker:
                self._write(f"{leg}{note.app}:")
            self._speaker = (None, None) if named else (note.leg, note.app)
            self._write(f"{leg}{f'{named} ' if named else ''}| {clean(note.text)}".rstrip())
            return
        self._speaker = (note.leg, note.app) if note.kind == "step" else (None, None)
        lasted, last, self._last = self._times.of(note), self._last, (note.kind, note.text)
        # A leg tells its failure once more than the step that failed; a short step says when it is done what it said.
        if last in ((note.kind, note.text), ("step" if note.kind == "done" else "", note.text)):
            return
        app = f"{note.app}: " if note.app and note.app not in note.text else ""
        self._write(f"{leg}{app}{self.WORDS.get(note.kind, '')}{clean(note.text)}" + (f" ({lasted})" if lasted else ""))

    def pause(self) -> None:
        """Do nothing: lines stand for themselves."""

    def close(self) -> None:
        """Do nothing: lines stand for themselves."""


class TerminalStory:
    """Lines that stay, and below them one that moves: what is going on and for how long."""

    MARKS: ClassVar = {
        "leg": ("●", "*", "bold cyan"),
        "step": ("→", ">", "cyan"),
        "done": ("✓", "+", "green"),
        "failed": ("✗", "x", "bold red"),
        "wait": ("…", "~", "yellow"),
        "info": (" ", " ", "dim"),
        "warning": ("!", "!", "yellow"),
    }

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._fancy = (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
        self._times = Times()
        self._live: Any = None
        self._held: Note | None = None
        self._last = ("", "")
        self._speaker: tuple[str | None, str | None] = (None, None)

    def tell(self, note: Note) -> None:
        """Tell one note."""
        self._release(note)
        if note.kind == "output":
            self._output(note)
            return
        self._speaker = (note.leg, note.app) if note.kind == "step" else (None, None)
        lasted, last, self._last = self._times.of(note), self._last, (note.kind, note.text)
        if last == self._last:
            return
        if note.kind == "step":
            self._move(note)
            self._held = note
            return
        self._line(note, lasted)
        if note.kind == "leg":
            self._move(note)
        elif note.kind in ("failed", "wait"):
            self.pause()

    def _release(self, note: Note) -> None:
        """Let a step that moves become a line, unless `note` says the same of it once more: that it is done."""
        held, self._held = self._held, None
        if held is not None and not (note.kind == "done" and note.text == held.text):
            self._line(held, "")

    def pause(self) -> None:
        """Take the moving line away."""
        held, self._held = self._held, None
        if held is not None:
            self._line(held, "")
        self._stop()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Take the moving line away."""
        self.pause()

    def _line(self, note: Note, lasted: str) -> None:
        from rich.text import Text

        mark, plain, style = self.MARKS[note.kind]
        if note.kind == "leg":
            text = Text.assemble((mark if self._fancy else plain, style), " ", (note.leg or "", style), "  ")
            self._console.print(text.append(clean(note.text), "bold"), soft_wrap=True)
            return
        app = f"{note.app}  " if note.app and note.app not in note.text else ""
        text = Text.assemble("  ", (mark if self._fancy else plain, style), " ", (app, "bold"))
        text.append(clean(note.text), style if note.kind in ("failed", "warning", "wait") else "")
        text.append(f"  {lasted}" if lasted else "", "dim")
        self._console.print(text, soft_wrap=True)

    def _output(self, note: Note) -> None:
        from rich.text import Text

        bar = "│" if self._fancy else "|"
        named = note.app if note.beside else None
        gutter = f"    {named} {bar} " if named else f"    {bar} "
        if note.app and not named and (note.leg, note.app) != self._speaker:
            self._console.print(Text(f"{gutter}{note.app}:", "dim bold"), soft_wrap=True)
        self._speaker = (None, None) if named else (note.leg, note.app)
        room = max(self._console.width - len(gutter), NARROWEST)
        for line in Text(clean(note.text)).wrap(self._console, room):
            self._console.print(Text.assemble(gutter, line, style="dim"), soft_wrap=True)

    def _move(self, note: Note) -> None:
        from rich.live import Live

        self._stop()
        what = f"{note.app}: {note.text}" if note.app else note.text
        moving = _Moving(clean(what), "dots" if self._fancy else "line")
        self._live = Live(moving, console=self._console, refresh_per_second=8, transient=True)
        self._live.start()


class _Moving:
    """A spinner, what is going on, and for how long."""

    def __init__(self, text: str, spinner: str) -> None:
        from rich.spinner import Spinner

        self._text = text
        self._began = time.monotonic()
        self._spinner = Spinner(spinner, style="cyan")

    def __rich__(self) -> Any:
        from rich.text import Text

        text = Text.assemble((self._text, "cyan"), (f"  {lasted(time.monotonic() - self._began)}", "dim"))
        text.no_wrap, text.overflow = True, "ellipsis"
        self._spinner.update(text=text)
        return self._spinner
