"""Test cases out of the output of tests that speak TAP, the Test Anything Protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_BEGIN = re.compile(r"TAP version \d+\s*$|\d+\.\.\d+(\s|$)")
_CASE = re.compile(r"(?P<not>not )?ok\b[ \t]*(?P<number>\d+)?[ \t]*(?:-[ \t]*)?(?P<rest>.*)$")


@dataclass(slots=True)
class Case:
    """One line of the protocol with the comments that follow it."""

    number: int
    description: str
    passed: bool
    directive: str = ""
    diagnostic: str = ""


def cases(lines: Iterable[str]) -> list[Case]:
    """Return the test cases; none when the output carries neither TAP's version line nor its plan."""
    found: list[Case] = []
    speaks, inside = False, False
    for line in lines:
        match = _CASE.match(line)
        if match is not None:
            found.append(_case(match, len(found) + 1))
            inside = False
        elif _BEGIN.match(line):
            speaks = True
        elif found and (inside or line.startswith("#") or line.strip() == "---"):
            inside = (inside or line.strip() == "---") and line.strip() != "..."
            _explain(found[-1], line)
    return found if speaks else []


def _case(match: re.Match[str], position: int) -> Case:
    description, _, directive = match["rest"].partition(" #")
    if match["rest"].startswith("#"):
        description, directive = "", match["rest"][1:]
    return Case(
        number=int(match["number"] or position),
        description=description.strip(),
        passed=match["not"] is None,
        directive=directive.strip(),
    )


def _explain(case: Case, line: str) -> None:
    text = line.strip().removeprefix("#").strip()
    if text not in ("---", "..."):
        case.diagnostic = f"{case.diagnostic}\n{text}".strip()
