from __future__ import annotations

from herodeploy.local.lifecycle.tap import Case, cases


def test_cases_with_directives_and_diagnostics() -> None:
    output = """\
-----> Running test command `prove`...
TAP version 13
1..4
ok 1 - greets
not ok 2 - counts
# expected 3
# got 4
ok 3 # SKIP no network
not ok 4 - later # TODO write it
  ---
  at: line 7
  ...
bye
"""
    assert cases(output.splitlines()) == [
        Case(1, "greets", True),
        Case(2, "counts", False, diagnostic="expected 3\ngot 4"),
        Case(3, "", True, directive="SKIP no network"),
        Case(4, "later", False, directive="TODO write it", diagnostic="at: line 7"),
    ]


def test_the_plan_may_come_last_and_numbers_may_be_missing() -> None:
    assert cases(["ok", "not ok two", "1..2"]) == [Case(1, "", True), Case(2, "two", False)]


def test_output_that_only_looks_like_it_has_no_cases() -> None:
    assert cases(["ok  \tgithub.com/example/pkg\t0.01s", "Ran 3 tests", "OK"]) == []
