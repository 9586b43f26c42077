"""What somebody else has written moves no cursor and forges no line, wherever it is printed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from herodeploy.cli import layout

WRITTEN = "the sale\x1b[2J\x1b]0;evil\x07\x08 is on\nError: all is lost\r\n  and\tmore\x9b1m\u202e\n"
ONE_LINE = "the sale is on Error: all is lost and    more"
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
console.error(why, why)
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
    ]
    assert done.stderr.splitlines()[:3] == [f"[production] {ONE_LINE} {kind}" for kind in ("leg", "step", "done")]
    assert layout.CONTROL.sub("", done.stderr).replace("\n", "") == done.stderr.replace("\n", "")
    assert "evil" not in done.stderr


@pytest.mark.parametrize("width", [40, 120])
def test_on_a_terminal_nothing_of_it_is_obeyed(terminal: Callable[..., tuple[str, int]], width: int) -> None:
    drawn, code = terminal(width, [sys.executable, "-c", TELLER])
    assert code == 0, drawn
    assert [word for word in ("\x1b[2J", "evil", "\x08", "\x9b", "\u202e") if word in drawn] == []
    assert "\x1b[1m" + ONE_LINE in drawn, "colours of our own stay"


def test_a_reason_of_several_lines_forges_no_error(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom herodeploy.cli import main\nfrom herodeploy.errors import Refused\n"
        f"sys.exit(main._fail(Refused('lock: ' + {WRITTEN!r}, hint='wait'), debug=False))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (1, f"Error: lock: {ONE_LINE}\n  -> wait\n")
