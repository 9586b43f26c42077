"""How a delivery's story looks: plain lines for files and pipes, colours and a moving last line on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from herodeploy.cli.layout import NARROWEST, hanging, lasted, one_line, sentence

if TYPE_CHECKING:
    from herodeploy.domain.progress import Note

ENDS = ("done", "failed")
PAUSES = (*ENDS, "wait")
"""After these nothing goes on, where they speak of it."""


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


def says_it_again(note: Note, last: Note | None) -> bool:
    """Whether a note says what the last one said, of the same app; or a leg, why it failed, which its app has said."""
    if last is None or (note.kind, note.text, note.leg) != (last.kind, last.text, last.leg):
        return False
    return note.app == last.app or (note.kind == "failed" and note.app is None)


def ends_as_it_began(note: Note, step: Note | None) -> bool:
    """Whether a short step says when it is done what it said as it began."""
    return (
        step is not None
        and (note.kind, step.kind) == ("done", "step")
        and (note.text, note.leg, note.app) == (step.text, step.leg, step.app)
    )


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
        self._last: Note | None = None

    def tell(self, note: Note) -> None:
        """Tell one note."""
        leg = f"[{note.leg}] " if note.leg else ""
        if note.kind == "output":
            named = note.app if note.beside else None
            if note.app and not named and (note.leg, note.app) != self._speaker:
                self._write(f"{leg}{note.app}:")
            self._speaker = (None, None) if named else (note.leg, note.app)
            self._write(f"{leg}{f'{named} ' if named else ''}| {one_line(note.text)}".rstrip())
            return
        self._speaker = (note.leg, note.app) if note.kind == "step" else (None, None)
        lasted, last, self._last = self._times.of(note), self._last, note
        if says_it_again(note, last) or ends_as_it_began(note, last):
            return
        app = f"{note.app}: " if note.app and note.app not in note.text else ""
        self._write(
            f"{leg}{app}{self.WORDS.get(note.kind, '')}{sentence(note.text)}" + (f" ({lasted})" if lasted else "")
        )

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
        self._going = _Going("dots" if self._fancy else "line")
        self._live: Any = None
        self._shown: _Moving | None = None
        self._held: Note | None = None
        self._last: Note | None = None
        self._speaker: tuple[str | None, str | None] = (None, None)

    def tell(self, note: Note) -> None:
        """Tell one note."""
        self._release(note)
        if note.kind == "output":
            self._output(note)
            return
        self._speaker = (note.leg, note.app) if note.kind == "step" else (None, None)
        lasted, last, self._last = self._times.of(note), self._last, note
        self._going.heed(note)
        if not says_it_again(note, last):
            if note.kind == "step":
                self._held = note
            else:
                self._line(note, lasted)
        self._move()

    def _release(self, note: Note) -> None:
        """Let a step that moves become a line, unless `note` says the same of it once more: that it is done."""
        held, self._held = self._held, None
        if held is not None and not ends_as_it_began(note, held):
            self._line(held, "")

    def pause(self) -> None:
        """Take the moving line away, until the next note."""
        held, self._held = self._held, None
        if held is not None:
            self._line(held, "")
        self._stop()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = self._shown = None

    def close(self) -> None:
        """Take the moving line away."""
        self.pause()

    def _line(self, note: Note, lasted: str) -> None:
        from rich.text import Text

        fancy, plain, style = self.MARKS[note.kind]
        mark = (fancy if self._fancy else plain, style)
        if note.kind == "leg":
            text, told = Text.assemble(mark, " ", (note.leg or "", style), "  "), "bold"
        else:
            app = f"{note.app}  " if note.app and note.app not in note.text else ""
            text = Text.assemble("  ", mark, " ", (app, "bold"))
            told = style if note.kind in ("failed", "warning", "wait") else ""
        after = f"  {lasted}" if lasted else ""
        lines = hanging(note.text, len(text), self._console.width - len(after))
        self._console.print(text.append("\n".join(lines), told).append(after, "dim"), soft_wrap=True)

    def _output(self, note: Note) -> None:
        from rich.text import Text

        bar = "│" if self._fancy else "|"
        named = note.app if note.beside else None
        gutter = f"    {named} {bar} " if named else f"    {bar} "
        if note.app and not named and (note.leg, note.app) != self._speaker:
            self._console.print(Text(f"{gutter}{note.app}:", "dim bold"), soft_wrap=True)
        self._speaker = (None, None) if named else (note.leg, note.app)
        room = max(self._console.width - len(gutter), NARROWEST)
        for line in Text(one_line(note.text)).wrap(self._console, room):
            self._console.print(Text.assemble(gutter, line, style="dim"), soft_wrap=True)

    def _move(self) -> None:
        """Have the newest of what is going on move, or nothing."""
        from rich.live import Live

        if (newest := self._going.newest()) is self._shown:
            return
        self._stop()
        if newest is not None:
            self._live = Live(newest, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
            self._shown = newest


class _Going:
    """What is going on: steps that have not ended; several apps may have one at the same time."""

    def __init__(self, spinner: str) -> None:
        self._spinner = spinner
        self._steps: dict[tuple[str | None, str | None], _Moving] = {}

    def heed(self, note: Note) -> None:
        """Take up what a note begins, and drop what it ends: the step of its app, or all of its leg."""
        key = (note.leg, note.app)
        # Who names no leg speaks between two of them; one may have broken off without a word of its own.
        if note.kind == "leg" or note.leg is None:
            self._steps.clear()
        elif note.kind in PAUSES:
            self._steps = {each: step for each, step in self._steps.items() if not _covers(key, each)}
        if note.kind in ("leg", "step"):
            self._steps.pop(key, None)
            what = f"{note.app}: {note.text}" if note.app else note.text
            self._steps[key] = _Moving(sentence(what), self._spinner)

    def newest(self) -> _Moving | None:
        return next(reversed(self._steps.values()), None)


def _covers(key: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> bool:
    return key == other or (key[1] is None and key[0] == other[0])


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
