"""The only file that prints: results to stdout, the story to stderr; colours and motion on a terminal alone.

What is printed may be of somebody else, who shares the database, made the commit or answers for an API: it moves no
cursor and forges no line, as each line goes through `layout.one_line`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from herodeploy.cli.layout import cards, chronicle, columns, hanging, one_line, sentence

if TYPE_CHECKING:
    from herodeploy.cli.story import Story
    from herodeploy.domain.progress import Note

STYLES = {
    **dict.fromkeys(("delivered", "succeeded", "created", "verified", "deployment", "PASS", "yes"), "green"),
    **dict.fromkeys(("failed", "errored", "crashed", "FAIL", "missing"), "red"),
    **dict.fromkeys(("waiting", "running", "pending", "creating", "WAIT"), "yellow"),
    "OVERRIDDEN": "magenta",
    **dict.fromkeys(("superseded", "deleted", "skipped", "-"), "dim"),
}
_lock = threading.RLock()
_story: Story | None = None


def set_up() -> None:
    """Make the streams safe: a character that the terminal cannot show is replaced, not an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person looks at `stream` on something that can be drawn on."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def report(note: Note) -> None:
    """Tell what a flow says; called from any thread."""
    with _lock:
        story().tell(note)


def story() -> Story:
    """Return the teller of this process, live on a terminal."""
    global _story
    if _story is None:
        from herodeploy.cli.story import PlainStory, TerminalStory

        _story = TerminalStory() if is_terminal(sys.stderr) else PlainStory(_to_stderr)
    return _story


def close() -> None:
    """End the live view; a later report opens another."""
    global _story
    with _lock:
        if _story is not None:
            _story.close()
            _story = None


def say(text: str = "") -> None:
    """Print a line of the result; on a terminal it ends between words."""
    lead = " " * (len(text) - len(text.lstrip(" ")))
    first, *others = hanging(text.lstrip(" "), len(lead), _width())
    for line in (lead + first, *others):
        say_as_is(line)


def quote(line: str) -> None:
    """Print a line that an app put out."""
    say_as_is(one_line(line))


def say_as_is(text: str) -> None:
    """Print what machines read, which is made for them."""
    _pause()
    print(text, file=sys.stdout, flush=True)  # noqa: T201 - this is the file that prints


def say_json(value: object) -> None:
    """Print the result as JSON."""
    say_as_is(json.dumps(value, indent=2))


def say_styled(*parts: tuple[str, str]) -> None:
    """Print a line of the result made of texts and their styles."""
    if not is_terminal(sys.stdout):
        quote("".join(text for text, _ in parts))
        return
    from rich.text import Text

    _pause()
    told = Text.assemble(*((one_line(text), style) for text, style in parts))
    _rich(sys.stdout).print(told, soft_wrap=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, flexible: int | None = None) -> None:
    """Print rows in columns; on a terminal the `flexible` column is shortened so that a row is a line."""
    width = _width()
    first, *others = columns(head, rows, width=width, flexible=flexible)
    if width is not None and max(len("".join(line).rstrip()) for line in (first, *others)) > width:
        first, *others = cards(head, rows)
    say_styled(("".join(first).rstrip(), "bold"))
    for line in others:
        say_styled(*((cell, STYLES.get(cell.strip(), "")) for cell in [*line[:-1], line[-1].rstrip()]))


def sentences(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows whose last cell is a sentence, which is shown whole."""
    first, *others = chronicle(head, rows, _width())
    say_styled((first, "bold"))
    for line in others:
        quote(line)


def say_hanging(text: str, *lead: tuple[str, str]) -> None:
    """Print a sentence behind its lead of texts and their styles; on a terminal its later lines stand below the first.

    Parameters:
        text: the sentence, shown whole.
    """
    first, *others = hanging(text, sum(len(each) for each, _ in lead), _width())
    say_styled(*lead, (first, ""))
    for line in others:
        quote(line)


def title(text: str, more: str = "") -> None:
    """Print the head of a chapter."""
    say()
    say_styled((text, "bold"))
    if more:
        say_styled((more, "dim"))


def claim(text: str, held: bool) -> None:
    """Print a claim and whether it held."""
    say_styled(("  ok   " if held else "  NOT  ", "green" if held else "bold red"), (text, ""))


def info(text: str) -> None:
    """Tell something beside the result."""
    _aside("", text, "")


def warn(*lines: str) -> None:
    """Tell something that a person should look at; parameters as of `error`."""
    _asides("Warning: ", lines, "yellow")


def error(*lines: str, hint: str | None = None) -> None:
    """Tell what is wrong and the way out.

    Parameters:
        lines: one of ours each, whatever they quote.
    """
    _asides("Error: ", lines, "bold red")
    if hint:
        _aside("  -> ", hint, "cyan")


def traceback(problem: BaseException) -> None:
    """Show where an error came from."""
    import traceback as python

    for part in python.format_exception(problem):
        for line in part.splitlines():
            _aside("  ", line, "")


def ask(question: str, default: str | None = None, wrong: Callable[[str], str | None] = lambda _: None) -> str:
    """Return a person's answer; one that cannot be is told at once, and the question asked again.

    Parameters:
        wrong: says why an answer cannot be; None where it can.
    """
    import typer

    while True:
        _pause()
        answer: str = typer.prompt(one_line(question), default=default, err=True).strip()
        if (problem := wrong(answer)) is None:
            return answer
        warn(problem)


def ask_code(again: bool = False) -> str:
    """Return the second factor that a person types; it is not shown, and nobody tells anything meanwhile.

    Parameters:
        again: whether the last one was not taken, which is told.
    """
    from getpass import getpass

    with _lock:
        if again:
            warn("that code was not taken; give the next one")
        _pause()
        return getpass("Two-factor code: ").strip()


def agrees(question: str) -> bool:
    """Return whether a person says yes."""
    import typer

    _pause()
    return typer.confirm(one_line(question), err=True)


def someone_is_there() -> bool:
    """Return whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asides(mark: str, lines: Sequence[str], style: str) -> None:
    for number, line in enumerate(lines):
        _aside("" if number else mark, line, "" if number else style)


def _aside(mark: str, text: str, style: str) -> None:
    _pause()
    if not is_terminal(sys.stderr):
        _to_stderr(mark + sentence(text))
        return
    from rich.text import Text

    screen = _rich(sys.stderr)
    # Of several lines that have no mark it is seen where each begins.
    told = "\n".join(hanging(text, len(mark) or 2, screen.width))
    screen.print(Text.assemble((mark, style), told), soft_wrap=True)


def _pause() -> None:
    with _lock:
        if _story is not None:
            _story.pause()


def _to_stderr(line: str) -> None:
    # When nobody hears the story any more, what it tells of goes on.
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is the file that prints


def _width() -> int | None:
    return int(_rich(sys.stdout).width) if is_terminal(sys.stdout) else None


def _rich(stream: TextIO) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False, markup=False, emoji=False)
