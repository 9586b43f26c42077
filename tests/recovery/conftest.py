"""Sweeps say at the end of a run how many points they had."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    told = sorted(value for each in reports for key, value in each.user_properties if key == "sweep")
    if told:
        terminalreporter.section("sweeps")
        for line in told:
            terminalreporter.write_line(line)
