"""Text in columns and times in words; nothing here prints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

GAP = 2
NARROWEST = 12
SENTENCE = 36
"""The room that a sentence needs beside other columns."""
CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u202a-\u202e\u2066-\u2069]"  # which turn the direction of writing
)
TIME = re.compile(r"(?<!(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )\b(\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?) UTC\b(?![+-])")
"""A time of ours within a sentence; with the day of the week before it, it is one of a calendar's zone and stays."""
COMMAND = re.compile(
    r"(?:^|(?<=[:,;] )|(?<=or )|(?<=then )|(?<=\())(?:herodeploy|heroku|git) [a-z][^,;()]*?(?=\s*(?:[,;()]|$))"
    r"|`[^`]{1,40}`"
)
"""A command to run within a sentence."""
HELD = "\0"
"""In the place of a blank at which no line ends; no text that is shown has it."""


def one_line(text: str) -> str:
    """Return what somebody else has written, as a lock's reason or a line of output, as one line that is only text.

    Without line breaks, colours, cursor moves and other control characters it can forge no line of ours.
    """
    first, *others = text.splitlines() or [""]
    whole = " ".join([first.rstrip() if others else first, *filter(None, map(str.strip, others))])
    return CONTROL.sub("", whole.replace("\t", "    "))


def sentence(text: str) -> str:
    """Return a sentence of ours as one line, its times as this machine's clock shows them."""
    return TIME.sub(_here, one_line(text))


def _here(found: re.Match[str]) -> str:
    try:
        at = datetime.fromisoformat(f"{found[1]}Z")
        return moment(at) if found[2] else until(at)
    except (ValueError, OverflowError, OSError):  # somebody else wrote it, and there is no such time
        return found[0]


def columns(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None, flexible: int | None = None
) -> list[list[str]]:
    """Return head and rows with their cells padded to columns.

    Parameters:
        width: of the terminal; None does not shorten anything.
        flexible: the column that is shortened where a line is longer than `width`.
    """
    lines = [list(head), *([one_line(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    if width is not None and flexible is not None:
        over = sum(widths) + GAP * (len(widths) - 1) - width
        widths[flexible] = max(NARROWEST, widths[flexible] - max(0, over))
    last = len(head) - 1
    return [
        [shorten(cell, widths[at]).ljust(0 if at == last else widths[at] + GAP) for at, cell in enumerate(line)]
        for line in lines
    ]


def cards(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return rows that are too wide for the terminal as the first cell and a line for each other cell."""
    widest = max(len(name) for name in head)
    lines = []
    for first, *others in rows:
        lines.append([one_line(first)])
        lines += [
            [f"  {name.ljust(widest)}  ", one_line(cell) or "-"] for name, cell in zip(head[1:], others, strict=True)
        ]
    return lines


def chronicle(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Return head and rows as lines; the last cell is a sentence, wrapped beside the others or below them.

    Rows that are too wide without it are cards.

    Parameters:
        width: of the terminal; None wraps nothing.
    """
    rows = [(*others, sentence(last)) for *others, last in rows]
    lines = columns(head, rows)
    if width is None:
        return ["".join(line).rstrip() for line in lines]
    beside = sum(map(len, lines[0][:-1]))
    if beside - GAP > width:
        return [part for lead, *cell in cards(head, rows) for part in _below(lead, *cell, width=width)]
    wanted = min(SENTENCE, max(len(line[-1]) for line in lines))
    indent = beside if width - beside >= wanted else 2 * GAP
    told = []
    for *others, last in lines:
        wrapped = wrap(last, width - indent)
        lead = "".join(others)
        told.append(lead + wrapped.pop(0) if indent == beside else lead.rstrip())
        told += [" " * indent + part for part in wrapped if part != "-"]
    return told


def hanging(text: str, indent: int, width: int | None) -> list[str]:
    """Return a sentence as lines, those after the first one indented.

    Parameters:
        indent: where the sentence begins on its first line.
        width: of the terminal; None wraps nothing.
    """
    text = sentence(text)
    if width is None or width - indent < NARROWEST:
        return [text]
    first, *others = wrap(text, width - indent)
    return [first, *(" " * indent + line for line in others)]


def wrap(text: str, width: int) -> list[str]:
    """Return a sentence as lines that end between words, but never within a command: people copy it as a whole."""
    held = COMMAND.sub(lambda found: found[0].replace(" ", HELD), text)
    lines = textwrap.wrap(held, width, break_long_words=False, break_on_hyphens=False) or [""]
    return [line.replace(HELD, " ") for line in lines]


def _below(lead: str, cell: str = "", *, width: int) -> list[str]:
    first, *others = hanging(cell, len(lead), width)
    return [lead + first, *others]


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` characters."""
    return text if len(text) <= width else text[: max(1, width - 3)].rstrip() + "..."


def age(at: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was, in one unit."""
    if at is None:
        return ""
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"


def lasted(seconds: float) -> str:
    """Return a length of time as people say it; nothing for what was over at once."""
    if seconds < 1:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def moment(at: datetime) -> str:
    """Return a time of this machine's clock, with the name of its zone."""
    return _shown(at, "%Y-%m-%d %H:%M:%S")


def until(at: datetime | None) -> str:
    """Return a time of this machine's clock as `moment` does, to the minute; nothing where there is none."""
    return _shown(at, "%Y-%m-%d %H:%M") if at else ""


def exact(at: datetime) -> str:
    """Return a time of this machine's clock as `moment` does, without seconds where it is at a full minute."""
    return moment(at) if at.second else until(at)


def _shown(at: datetime, form: str) -> str:
    here = at.astimezone()
    name = here.tzname() or ""
    # Many zones have no name but their distance: -03.
    return f"{here.strftime(form)} {name if name.isalpha() else f'UTC{here:%z}'}"
