"""What somebody else has written moves no cursor and forges no line, wherever it is printed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WRITTEN = "the sale\x1b[2J\x1b]0;evil\x07\x08 is on\nError: all is lost\r\n  and\rso\x0bon\tmore\x9b1m\u202e\u2028end\n"
ONE_LINE = "the sale is on Error: all is lost and so on    more end"
TELLER = f"""
from herodeploy.cli import console
from herodeploy.domain.progress import Note
console.set_up()
why = {WRITTEN!r}
console.say(f"production is locked: {{why}}")
console.say_styled(("locked: ", "yellow"), (why, ""))
console.say_hanging(why, ("locked: ", "yellow"))
console.table(("PLACE", "WHY"), [("production", why)], flexible=1)
console.sentences(("PLACE", "WHY"), [("production", why)])
console.claim(why, held=True)
console.title(why, why)
for kind in ("leg", "step", "done", "failed", "wait", "info", "warning"):
    console.report(Note(kind, why + kind, "production"))
console.info(why)
console.warn(why)
console.error(why, why, hint=why)
console.report(Note("output", "    " + why, "production", "shop"))
console.quote("    " + why)
"""


def test_piped_it_is_text_of_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", TELLER], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"production is locked: {ONE_LINE}",
        f"locked: {ONE_LINE}",
        f"locked: {ONE_LINE}",
        "PLACE       WHY",
        f"production  {ONE_LINE}",
        "PLACE       WHY",
        f"production  {ONE_LINE}",
        f"  ok   {ONE_LINE}",
        "",
        ONE_LINE,
        ONE_LINE,
        f"    {ONE_LINE}",
    ]
    kinds = {
        "leg": "",
        "step": "",
        "done": "",
        "failed": "FAILED: ",
        "wait": "waiting: ",
        "info": "",
        "warning": "warning: ",
    }
    assert done.stderr.splitlines() == [
        *(f"[production] {word}{ONE_LINE} {kind}" for kind, word in kinds.items()),
        ONE_LINE,
        f"Warning: {ONE_LINE}",
        f"Error: {ONE_LINE}",
        ONE_LINE,
        f"  -> {ONE_LINE}",
        "[production] shop:",
        f"[production] |     {ONE_LINE}",
    ]


@pytest.mark.parametrize("width", [40, 120])
def test_on_a_terminal_nothing_of_it_is_obeyed(terminal: Callable[..., tuple[str, int]], width: int) -> None:
    drawn, code = terminal(width, [sys.executable, "-c", TELLER])
    assert code == 0, drawn
    assert [word for word in ("\x1b[2J", "evil", "\x08", "\x9b", "\u202e") if word in drawn] == []
    assert "\x1b[1m" + ONE_LINE in drawn, "colours of our own stay"


def test_on_a_terminal_lines_end_between_words(terminal: Callable[..., tuple[str, int]]) -> None:
    code = """
from herodeploy.cli import console
from herodeploy.domain.progress import Note
long = "nobody may touch the shop: herodeploy unlock 5f0c2a1e"
console.say("  " + long)
console.warn(long)
console.error(long, long, hint=long)
console.report(Note("wait", long, "production"))
console.report(Note("done", long, "production", "shop-eu"))
console.close()
"""
    drawn, _ = terminal(40, [sys.executable, "-c", code])
    assert re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn).splitlines() == [
        "  nobody may touch the shop:",
        "  herodeploy unlock 5f0c2a1e",
        "Warning: nobody may touch the shop:",
        "         herodeploy unlock 5f0c2a1e",
        "Error: nobody may touch the shop:",
        "       herodeploy unlock 5f0c2a1e",
        "nobody may touch the shop:",
        "  herodeploy unlock 5f0c2a1e",
        "  -> nobody may touch the shop:",
        "     herodeploy unlock 5f0c2a1e",
        "  … nobody may touch the shop:",
        "    herodeploy unlock 5f0c2a1e",
        "  ✓ shop-eu  nobody may touch the shop:",
        "             herodeploy unlock 5f0c2a1e",
    ]


def fail_with(error: str, cwd: Path) -> tuple[int, str]:
    """Return exit code and stderr of a command that ends with an error."""
    code = (
        "import sys\nfrom herodeploy.cli import main\nfrom herodeploy.errors import *\n"
        f"sys.exit(main._fail({error}, debug=False))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("error", "code", "first"),
    [
        (f"Refused('lock: ' + {WRITTEN!r}, hint='wait')", 1, f"Error: lock: {ONE_LINE}"),
        (f"NotFound({WRITTEN!r}, status=404, hint='wait')", 3, f"Error: {ONE_LINE} (HTTP 404)"),
        (f"ConfigError({WRITTEN!r}, file='a', line=1, hint='wait')", 2, f"Error: a:1: {ONE_LINE}"),
        (f"RuntimeError({WRITTEN!r})", 3, f"Error: herodeploy met a fault of its own: RuntimeError: {ONE_LINE}"),
        (f"OSError(2, 'none', {WRITTEN!r})", 3, f"Error: {ONE_LINE} : none"),
    ],
)
def test_an_error_of_several_lines_forges_no_other(error: str, code: int, first: str, tmp_path: Path) -> None:
    ended, told = fail_with(error, tmp_path)
    assert (ended, told.splitlines()[0], len(told.splitlines())) == (code, first, 2)
    assert told.splitlines()[1].startswith("  -> ")


def test_several_mistakes_of_one_file_are_a_line_each(tmp_path: Path) -> None:
    error = f"ConfigError('one', file='a', line=1, others=['a:2: ' + {WRITTEN!r}, 'a:3: three'])"
    assert fail_with(error, tmp_path) == (2, f"Error: a:1: one\na:2: {ONE_LINE}\na:3: three\n")


SENTENCES = {
    "soaks until 2026-11-26 12:00 UTC: lunch": "soaks until 2026-11-26 13:00 CET: lunch",
    "soaks until 2026-11-26 12:00:07 UTC": "soaks until 2026-11-26 13:00:07 CET",
    "from 2026-07-01 12:00 UTC to 2026-07-02 23:30 UTC": "from 2026-07-01 14:00 CEST to 2026-07-03 01:30 CEST",
    "opens Fri 2026-11-27 09:00 UTC": "opens Fri 2026-11-27 09:00 UTC",
    "opens Fri 2026-11-27 09:00 Europe/Berlin": "opens Fri 2026-11-27 09:00 Europe/Berlin",
    "at 2026-11-26 12:00 UTC+3, 2026-99-99 12:00 UTC": "at 2026-11-26 12:00 UTC+3, 2026-99-99 12:00 UTC",
    "at 9999-12-31 23:59 UTC": "at 9999-12-31 23:59 UTC",
}
CLOCK = f"""
from datetime import UTC, datetime
from herodeploy.cli import console, layout
from herodeploy.domain.progress import Note
at = datetime(2026, 11, 26, 12, 0, 7, tzinfo=UTC)
print(layout.moment(at), layout.until(at), sep="\\n")
for said in {[*SENTENCES]!r}:
    console.say(said)
said = "soaks until 2026-11-26 12:00 UTC"
console.say_hanging(said, ("WAIT  ", ""))
console.sentences(("PLACE", "WHY"), [(said, said)])
console.quote(said)
console.say_json(said)
console.report(Note("wait", said, "production"))
console.report(Note("output", said, "production"))
console.error(said, hint=said)
"""


def clock(zone: str) -> tuple[list[str], list[str]]:
    env = {**os.environ, "TZ": zone}
    done = subprocess.run([sys.executable, "-c", CLOCK], capture_output=True, text=True, check=True, env=env)
    return done.stdout.splitlines(), done.stderr.splitlines()


def test_times_are_the_readers_own_and_name_their_zone() -> None:
    out, err = clock("CET-1CEST,M3.5.0,M10.5.0/3")
    assert out[:2] == ["2026-11-26 13:00:07 CET", "2026-11-26 13:00 CET"]
    assert dict(zip(SENTENCES, out[2:], strict=False)) == SENTENCES
    soaks, written = "soaks until 2026-11-26 13:00 CET", "soaks until 2026-11-26 12:00 UTC"
    assert out[-5:] == [f"WAIT  {soaks}", "PLACE" + " " * 29 + "WHY", f"{written}  {soaks}", written, f'"{written}"']
    assert err == [
        f"[production] waiting: {soaks}",
        f"[production] | {written}",
        f"Error: {soaks}",
        f"  -> {soaks}",
    ]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("UTC", "12:00 UTC"), ("<-03>3", "09:00 UTC-0300"), ("<+0545>-5:45", "17:45 UTC+0545"), ("IST-5:30", "17:30 IST")],
)
def test_a_zone_without_a_name_is_named_by_its_distance(zone: str, shown: str) -> None:
    out, _ = clock(zone)
    assert out[1:3] == [f"2026-11-26 {shown}", f"soaks until 2026-11-26 {shown}: lunch"]
