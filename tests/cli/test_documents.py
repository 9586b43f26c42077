"""The generated documents are fresh, and every command says what it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from herodeploy.cli import docs
from herodeploy.cli.main import TOPICS, app
from herodeploy.cli.options import SURROUNDINGS
from herodeploy.errors import ExitCode

ROOT = Path(__file__).parents[2]
Shell = Any


def commands() -> list[Any]:
    root: Any = typer.main.get_command(app)
    tops = [root.get_command(None, name) for name in TOPICS]
    return [child for top in tops for child in getattr(top, "commands", {"": top}).values()]


@pytest.mark.parametrize("name", ["configuration.md", "cli.md", "herodeploy.schema.json", "local-platform.md"])
def test_the_generated_documents_are_fresh(name: str) -> None:
    text = docs.documents(ROOT)[ROOT / "docs" / name]
    assert (ROOT / "docs" / name).read_text() == text, "write them anew: herodeploy docs"


def test_stale_documents_are_told_and_written(shell: Shell) -> None:
    ended = shell("docs", "--check")
    assert (ended.code, "stale: docs/configuration.md" in ended.err) == (1, True)
    assert shell("docs").out.splitlines() == [
        "wrote docs/configuration.md",
        "wrote docs/cli.md",
        "wrote docs/local-platform.md",
        "wrote docs/herodeploy.schema.json",
    ]
    assert shell("docs", "--check").code == 0


def test_an_option_that_can_be_said_no_to_has_both_words() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    [told] = {line for line in page.splitlines() if line.startswith("- `--wait`")}
    assert told.startswith("- `--wait` / `--no-wait`: ")
    assert told.endswith(" Default: `--wait`.")


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text()
    assert all(f"| {code.value} |" in page for code in ExitCode)


@pytest.mark.parametrize("command", commands(), ids=lambda command: command.name)
def test_every_command_and_option_says_what_it_is_for(command: Any) -> None:
    assert command.help
    for parameter in command.params:
        assert parameter.help, parameter.name
        if not getattr(parameter, "is_flag", False):
            assert parameter.metavar, parameter.name


@pytest.mark.parametrize("name", [name for name in TOPICS if name not in ("init", "local", "demo", "docs")])
def test_every_command_on_a_pipeline_takes_a_folder_a_file_and_json(name: str) -> None:
    root: Any = typer.main.get_command(app)
    top = root.get_command(None, name)
    for command in getattr(top, "commands", {"": top}).values():
        shared = {each.opts[0] for each in command.params if getattr(each, "rich_help_panel", "") == SURROUNDINGS}
        # What a worker tells is a story without an end.
        wanted = {"--directory", "--config", "--platform"} | ({"--json"} if name != "worker" else set())
        assert shared == wanted
