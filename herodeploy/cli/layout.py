"""Text in columns and times in words; nothing here prints."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime

GAP = 2
NARROWEST = 12
SENTENCE = 40
"""The room that a sentence needs beside other columns."""
CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"|[\u202a-\u202e\u2066-\u2069]"  # which turn the direction of writing
)

BREAK = re.compile(r"\s*\n\s*")


def clean(text: str) -> str:
    """Return one line of foreign output without colours, cursor moves and other control characters."""
    return CONTROL.sub("", text.replace("\t", "    "))


def one_line(text: str) -> str:
    """Return what somebody else has written, as a lock's reason, as one line without control characters."""
    return clean(BREAK.sub(" ", text.rstrip("\n")))


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

    Parameters:
        width: of the terminal; None wraps nothing.
    """
    lines = columns(head, rows)
    if width is None:
        return ["".join(line).rstrip() for line in lines]
    beside = sum(map(len, lines[0][:-1]))
    indent = beside if width - beside >= SENTENCE else 2 * GAP
    told = []
    for *others, sentence in lines:
        wrapped = textwrap.wrap(sentence, width - indent, break_long_words=False, break_on_hyphens=False) or [""]
        lead = "".join(others)
        told.append(lead + wrapped.pop(0) if indent == beside else lead.rstrip())
        told += [" " * indent + part for part in wrapped]
    return told


def hanging(sentence: str, indent: int, width: int | None) -> list[str]:
    """Return a sentence as lines, those after the first one indented.

    Parameters:
        indent: where the sentence begins on its first line.
        width: of the terminal; None wraps nothing.
    """
    sentence = one_line(sentence)
    if width is None or width - indent < NARROWEST:
        return [sentence]
    first, *others = textwrap.wrap(sentence, width - indent, break_long_words=False, break_on_hyphens=False) or [""]
    return [first, *(" " * indent + line for line in others)]


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
    """Return a time of this machine's clock."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def until(at: datetime | None) -> str:
    """Return a time to come of this machine's clock, to the minute; nothing where there is none."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""
