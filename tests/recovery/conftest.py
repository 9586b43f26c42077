"""Where apps can be held up; and what is measured is said at the end of a run, as how many points a sweep had."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    told = sorted(value for each in reports for key, value in each.user_properties if key in ("sweep", "figure"))
    if told:
        terminalreporter.section("figures")
        for line in told:
            terminalreporter.write_line(line)


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """The folder whose ``.closed`` files hold apps up."""
    folder = tmp_path / "gates"
    folder.mkdir()
    return folder
