"""Two-factor authentication as a person meets it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.prompts import answered

Shell = Any


@pytest.fixture
def data(tmp_path: Path, repository: Shell) -> Iterator[Path]:
    """A local platform that asks for a code where pipelines are made, and a repository that wants one."""
    folder = tmp_path / "platform"
    stages = "stages: {staging: {apps: [shop-staging]}, production: {apps: [shop-eu]}}"
    repository.write(herodeploy_dot_yml=f"pipeline: shop\nplatform: local\n{stages}\n")
    repository("local", "start", "--data", str(folder))
    repository("local", "fault", "two-factor", "--route", "POST /pipelines", "--data", str(folder))
    yield folder
    repository("local", "stop", "--data", str(folder))


def test_on_a_terminal_the_code_is_asked_for(repository: Shell, data: Path, tmp_path: Path) -> None:
    env = {**os.environ, "HERODEPLOY_LOCAL_DATA": str(data), "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"}
    command = [sys.executable, "-m", "herodeploy", "apply"]
    shown = answered(command, [(b"Two-factor code", "000000"), (b"Two-factor code", "123456")], env, repository.root)
    assert "create pipeline shop" in shown
    assert "123456" not in shown
    assert shown.count("Two-factor code:") == 2
    assert shown.count("Warning: that code was not taken; give the next one") == 1, "only where it was wrong"


def test_piped_the_way_out_is_told(repository: Shell, data: Path, tmp_path: Path) -> None:
    ended = repository("apply", HERODEPLOY_LOCAL_DATA=str(data), XDG_STATE_HOME=str(tmp_path))
    assert ended.code == 3
    assert "two_factor" in ended.err
    assert "run it on a terminal" in ended.err
