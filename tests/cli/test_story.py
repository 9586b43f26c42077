"""What a delivery's story looks like in a file and on a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from herodeploy.cli import layout
from herodeploy.cli.story import PlainStory
from herodeploy.domain.progress import Note

NOTES = [
    Note("leg", "test 1a2b3c4d", "test"),
    Note("step", "testing 1a2b3c4d", "test"),
    Note("output", "\x1b[32mok\x1b[0m\tfine\x1b]0;evil\x07\x08", "test"),
    Note("done", "test run #1 succeeded", "test"),
    Note("leg", "promote 1a2b3c4d", "production"),
    Note("step", "verifying v3", "production", "shop-eu"),
    Note("output", "one", "production", "shop-eu"),
    Note("output", "two", "production", "shop-us"),
    Note("output", "three", "production", "shop-eu", beside=True),
    Note("output", "four", "production", "shop-us", beside=True),
    Note("failed", "web.1 of v3 crashed in shop-eu", "production", "shop-eu"),
    Note("failed", "web.1 of v3 crashed in shop-eu", "production"),
    Note("step", "create app shop"),
    Note("done", "create app shop"),
    Note("wait", "waits for an approval", "production"),
    Note("warning", "look out"),
    Note("info", "by the way"),
]
PLAIN = """\
[test] test 1a2b3c4d
[test] testing 1a2b3c4d
[test] | ok    fine
[test] test run #1 succeeded
[production] promote 1a2b3c4d
[production] shop-eu: verifying v3
[production] | one
[production] shop-us:
[production] | two
[production] shop-eu | three
[production] shop-us | four
[production] FAILED: web.1 of v3 crashed in shop-eu
create app shop
[production] waiting: waits for an approval
warning: look out
by the way
"""
TELLER = f"""
from herodeploy.cli import console
from herodeploy.domain.progress import Note
for note in {NOTES!r}:
    console.report(note)
console.say_styled(("delivered", "green"))
console.table(("APP", "STATUS", "MESSAGE"), [("shop", "failed", "long " * 40)], flexible=2)
console.close()
"""


def test_in_a_file_it_is_plain_lines() -> None:
    lines: list[str] = []
    story = PlainStory(lines.append)
    for note in NOTES:
        story.tell(note)
    story.close()
    assert "\n".join(lines) + "\n" == PLAIN


SIDE_BY_SIDE = [
    Note("leg", "promote 1a2b3c4d", "production"),
    Note("step", "verifying v6", "production", "shop-us"),
    Note("step", "verifying v6", "production", "shop-asia"),
    Note("done", "v6 runs", "production", "shop-us"),
    Note("done", "v6 runs", "production", "shop-asia"),
    Note("failed", "no answer", "production", "shop-us"),
    Note("failed", "no answer", "production", "shop-asia"),
    Note("failed", "no answer", "production"),
    Note("wait", "waits for an approval", "staging"),
    Note("wait", "waits for an approval", "production"),
    Note("step", "create it", app="shop-us"),
    Note("done", "create it", app="shop-asia"),
]


def test_of_apps_side_by_side_each_has_its_line() -> None:
    lines: list[str] = []
    story = PlainStory(lines.append)
    for note in SIDE_BY_SIDE:
        story.tell(note)
    assert lines == [
        "[production] promote 1a2b3c4d",
        "[production] shop-us: verifying v6",
        "[production] shop-asia: verifying v6",
        "[production] shop-us: v6 runs",
        "[production] shop-asia: v6 runs",
        "[production] shop-us: FAILED: no answer",
        "[production] shop-asia: FAILED: no answer",
        "[staging] waiting: waits for an approval",
        "[production] waiting: waits for an approval",
        "shop-us: create it",
        "shop-asia: create it",
    ]


TELL = """
import os
from herodeploy.cli import console
from herodeploy.domain.progress import Note
for note in {notes!r}:
    console.report(note)
os.write(1, b"SO FAR")
console.close()
"""


def test_on_a_terminal_apps_side_by_side_have_each_their_line(terminal: Callable[..., tuple[str, int]]) -> None:
    drawn, code = terminal(80, [sys.executable, "-c", TELL.format(notes=SIDE_BY_SIDE)])
    assert code == 0, drawn
    lines = [line.strip() for line in layout.CONTROL.sub("", drawn).splitlines()]
    for mark, text in (("→", "verifying v6"), ("✓", "v6 runs"), ("✗", "no answer")):
        told = [line for line in lines if line.endswith(text) and mark in line]
        assert [app for line in told for app in ("shop-us", "shop-asia") if f"{mark} {app}" in line] == [
            "shop-us",
            "shop-asia",
        ], (text, lines)
        assert len(told) == 2


GOING = SIDE_BY_SIDE[:3]
"""Two apps at once: nobody tells of a leg that breaks off."""


@pytest.mark.parametrize(
    ("then", "moves"),
    [
        ([], "shop-asia: verifying v6"),
        ([Note("done", "v6 runs", "production", "shop-asia")], "shop-us: verifying v6"),
        ([Note("done", "1a2b3c4d runs in production", "production")], None),
        ([Note("failed", "no answer", "production")], None),
        ([Note("wait", "soaks until noon", "production")], None),
        ([Note("warning", "20260102-1a2b3c4d cannot go on: no answer")], None),
    ],
)
def test_what_moves_on_a_terminal_is_what_goes_on(
    terminal: Callable[..., tuple[str, int]], then: list[Note], moves: str | None
) -> None:
    drawn, code = terminal(80, [sys.executable, "-c", TELL.format(notes=GOING + then)])
    assert code == 0, drawn
    before, after = drawn.split("SO FAR")
    assert (before.rfind("\x1b[?25l") > before.rfind("\x1b[?25h")) is (moves is not None), "the cursor hides meanwhile"
    assert (moves or "") in after
    assert ("verifying" in after) is (moves is not None)


def test_piped_the_story_goes_to_stderr_and_nothing_is_coloured(tmp_path: object) -> None:
    import subprocess

    done = subprocess.run([sys.executable, "-c", TELLER], capture_output=True, text=True, check=True)
    assert done.stderr == PLAIN
    assert done.stdout == "delivered\nAPP   STATUS  MESSAGE\nshop  failed  " + "long " * 39 + "long\n"


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_it_is_drawn(terminal: Callable[..., tuple[str, int]], width: int) -> None:
    drawn, code = terminal(width, [sys.executable, "-c", TELLER])
    assert code == 0, drawn
    assert "●" in drawn
    assert "✗" in drawn
    assert "evil" not in drawn
    assert drawn.endswith("...\n")
    assert drawn.count("create app shop") >= 1
    last = layout.CONTROL.sub("", drawn.splitlines()[-1])
    assert len(last) <= width


WORDS = "Collecting the requirements of a shop that sells umbrellas and galoshes"
LONG = f"""
from herodeploy.cli import console
from herodeploy.domain.progress import Note
for text in ({WORDS!r}, "  indented " + "x" * 50, "", "brief"):
    console.report(Note("output", text, "staging"))
console.close()
"""


def test_streamed_lines_are_folded_at_words_with_the_gutter_repeated(terminal: Callable[..., tuple[str, int]]) -> None:
    drawn, code = terminal(40, [sys.executable, "-c", LONG])
    assert code == 0, drawn
    lines = [line.rstrip() for line in layout.CONTROL.sub("", drawn).splitlines()]
    assert lines == [
        "    │ Collecting the requirements of a",
        "    │ shop that sells umbrellas and",
        "    │ galoshes",
        "    │   indented",
        "    │ " + "x" * 34,
        "    │ " + "x" * 16,
        "    │",
        "    │ brief",
    ]


def test_piped_a_long_line_stays_whole() -> None:
    lines: list[str] = []
    PlainStory(lines.append).tell(Note("output", WORDS * 5, "staging"))
    assert lines == [f"[staging] | {WORDS * 5}"]


def test_no_color_is_honoured_and_a_dumb_terminal_is_left_alone(terminal: Callable[..., tuple[str, int]]) -> None:
    drawn, _ = terminal(80, [sys.executable, "-c", TELLER], NO_COLOR="1")
    assert "\x1b[3" not in drawn.replace("\x1b[32mok", "")
    drawn, _ = terminal(80, [sys.executable, "-c", TELLER], TERM="dumb")
    assert "\x1b" not in drawn
    assert drawn.startswith(PLAIN)


def test_an_encoding_that_lacks_the_marks_gets_others(terminal: Callable[..., tuple[str, int]]) -> None:
    drawn, code = terminal(80, [sys.executable, "-c", TELLER], PYTHONIOENCODING="ascii")
    assert code == 0, drawn
    assert "* production" in layout.CONTROL.sub("", drawn)


def test_ages_and_lengths_of_time() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    spans = {3: "3s ago", 200: "3m ago", 7300: "2h ago", 90000: "1d ago", -5: "0s ago"}
    assert {seconds: layout.age(now - timedelta(seconds=seconds), now) for seconds in spans} == spans
    assert (layout.age(None), layout.lasted(0.4), layout.lasted(59.6), layout.lasted(75)) == ("", "", "1m00s", "1m15s")


def test_columns_shorten_the_flexible_one_alone() -> None:
    lines = layout.columns(("A", "B", "C"), [("a", "b" * 40, "c")], width=30, flexible=1)
    assert lines == [["A  ", "B" + " " * 25, "C"], ["a  ", "b" * 21 + "...  ", "c"]]
    assert textwrap.dedent("".join(layout.columns(("A",), [("",)])[1])) == "-"


def test_what_is_too_wide_for_the_terminal_is_told_below() -> None:
    rows = [("shop", "http://shop.localhost:5333/", "x" * 20)]
    assert layout.cards(("APP", "ADDRESS", "OTHER"), rows) == [
        ["shop"],
        ["  ADDRESS  ", "http://shop.localhost:5333/"],
        ["  OTHER    ", "x" * 20],
    ]


def test_a_sentence_hangs_below_its_beginning_where_there_is_room() -> None:
    told = "locked by bob: the sale of the year"
    assert layout.hanging(told, 8, 24) == ["locked by bob:", "        the sale of the", "        year"]
    assert layout.hanging(told, 8, None) == layout.hanging(told, 15, 24) == [told]
    assert layout.hanging("", 8, 24) == [""]


def test_a_command_to_run_stands_in_one_line() -> None:
    run = "herodeploy approve 20261123-120350-fdf5"
    assert layout.wrap(f"waits for an approval: {run}", 50) == ["waits for an approval:", run]
    assert layout.wrap(f"one, or {run}; {run}, {run} (git push origin main)", 24) == [
        "one, or",
        f"{run};",
        f"{run},",
        run,
        "(git push origin main)",
    ]
    assert layout.wrap("see what `heroku auth:token` prints", 20) == ["see what", "`heroku auth:token`", "prints"]
    assert layout.wrap("one, then herodeploy targets", 20) == ["one, then", "herodeploy targets"]
    assert layout.wrap("another herodeploy works on the pipeline of somebody", 30) == [
        "another herodeploy works on",
        "the pipeline of somebody",
    ]


def test_rows_that_are_too_wide_are_told_one_below_the_other() -> None:
    rows = [("5f0c2a1e", "bob@example.com", "until three in the afternoon")]
    assert layout.chronicle(("LOCK", "BY", "WHY"), rows, 24) == [
        "5f0c2a1e",
        "  BY    bob@example.com",
        "  WHY   until three in",
        "        the afternoon",
    ]


def test_sentences_are_shown_whole() -> None:
    head, rows = ("WHEN", "WHAT"), [("now", "one two three four five six seven eight nine ten")]
    assert layout.chronicle(head, rows, None) == [
        "WHEN  WHAT",
        "now   one two three four five six seven eight nine ten",
    ]
    assert layout.chronicle(head, rows, 50) == [
        "WHEN  WHAT",
        "now   one two three four five six seven eight nine",
        "      ten",
    ]
    assert layout.chronicle(head, rows, 40) == [
        "WHEN",
        "    WHAT",
        "now",
        "    one two three four five six seven",
        "    eight nine ten",
    ]


def test_short_sentences_stand_beside_the_rest_and_none_is_no_line() -> None:
    head, rows = ("WHEN", "WHY"), [("now" * 9, "it broke"), ("then", "")]
    assert layout.chronicle(head, rows, 40) == [
        "WHEN" + " " * 25 + "WHY",
        "now" * 9 + "  it broke",
        "then" + " " * 25 + "-",
    ]
    assert layout.chronicle(head, rows, 36) == ["WHEN", "    WHY", "now" * 9, "    it broke", "then"]
