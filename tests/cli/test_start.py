"""How the command starts, and what it says to what cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from herodeploy import __version__
from herodeploy.errors import ExitCode

Shell = Any
HEAVY = (
    "dbos",
    "sqlalchemy",
    "requests",
    "heroku3",
    "starlette",
    "uvicorn",
    "httpx",
    "yaml",
    "rich",
    "alembic",
    "dateutil",
    "simpleeval",
)
PROBE = """
import json, sys
from herodeploy.cli.main import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.partition('.')[0] for name in sys.modules})]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (["--version"], {}),
        (["status", "--nonsense"], {}),
        ([], {"_HERODEPLOY_COMPLETE": "complete_bash", "COMP_WORDS": "herodeploy re", "COMP_CWORD": "1"}),
    ],
)
def test_little_is_loaded_to_start(arguments: list[str], env: dict[str, str]) -> None:
    probe = (
        PROBE
        if not env
        else PROBE.replace("code = run(sys.argv[1:])", "code = 0\ntry: run([])\nexcept SystemExit: pass")
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, env={**os.environ, **env}, check=True
    )
    loaded = json.loads(done.stderr.splitlines()[-1])[1]
    assert [name for name in HEAVY if name in loaded] == []


def test_the_version(shell: Shell) -> None:
    ended = shell("--version")
    assert (ended.code, ended.out) == (0, f"herodeploy {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["delive"], "No such command 'delive'", "did you mean: herodeploy deliver"),
        (["xyz"], "No such command 'xyz'", "see: herodeploy --help"),
        (["deliver", "--foo"], "No such option: --foo", "see: herodeploy deliver --help"),
        (["rollback"], "Missing argument 'STAGE'", "see: herodeploy rollback --help"),
        (["review", "create", "a", "--branch", "b"], "'a' and 'b' are two branches", "name one of them"),
        (["mode", "fast"], "'fast' is not one of", "see: herodeploy mode --help"),
        (["history", "-n", "many"], "Invalid value for '--limit' / '-n'", "see: herodeploy history --help"),
        (["status"], "is not in a git repository", "git init"),
        (["review", "destroy", "x"], "nobody is there to ask", "--yes"),
        (["local", "reset"], "nobody is there to ask", "--yes"),
    ],
)
def test_what_cannot_be_is_told_with_the_way_out(shell: Shell, arguments: list[str], message: str, hint: str) -> None:
    ended = shell(*arguments)
    first, second = ended.err.splitlines()[:2]
    assert (ended.code, ended.out) == (ExitCode.USAGE, "")
    assert first.startswith("Error: ")
    assert message in first
    assert second.startswith("  -> ")
    assert hint in second


def test_a_mistake_in_the_configuration_is_told_with_its_place(repository: Shell) -> None:
    repository.write(
        herodeploy_dot_yml="pipeline: shop\nplatform: local\nstages:\n  production:\n    apps: [shop-eu]\n"
        "    waves: [[shop-uk]]\n"
    )
    ended = repository("status")
    message = "herodeploy.yml:6: stages.production.waves names app 'shop-uk' that no stage lists"
    assert (ended.code, ended.err.splitlines()[0]) == (2, f"Error: {message}")
    elsewhere = Shell_at(repository, repository.root.parent)("status", "-C", "shop")
    assert elsewhere.err.splitlines()[0] == f"Error: shop/{message}"


def Shell_at(shell: Shell, root: Path) -> Shell:  # noqa: N802 - makes one
    return type(shell)(root)


def test_another_file_and_another_folder(repository: Shell) -> None:
    repository.write(other_dot_yml="pipeline: [")
    ended = repository("status", "--config", "other.yml")
    assert ended.err.startswith("Error: other.yml:1:")
    ended = repository("status", HERODEPLOY_CONFIG="other.yml")
    assert ended.err.startswith("Error: other.yml:1:")
    assert "there is no such file" in repository("status", "--config", "none.yml").err


def test_no_commits_and_unknown_commits_are_told(repository: Shell) -> None:
    repository.write(Procfile="web: ./serve\n")
    repository("init", "--yes", "--platform", "local")
    ended = repository("deliver")
    assert (ended.code, "has no commits yet" in ended.err) == (2, True)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "Begin")
    ended = repository("deliver", "mian")
    assert (ended.code, "'mian'" in ended.err, "main" in ended.err) == (2, True, True)


def test_a_fault_of_our_own_is_no_traceback_unless_asked_for(tmp_path: Path) -> None:
    broken = "import herodeploy.cli.main as m; m._version = None; m.TOPICS['status'] = 'nowhere'; m.main()"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", broken, *arguments], capture_output=True, text=True, cwd=tmp_path)

    ended = run("status")
    assert ended.returncode == ExitCode.PLATFORM
    assert ended.stderr.startswith("Error: herodeploy met a fault of its own: ModuleNotFoundError")
    assert "Traceback" not in ended.stderr
    for arguments in (("--debug", "status"), ("status", "--debug")):
        assert "Traceback" in run(*arguments).stderr


def test_a_reader_that_has_seen_enough_is_no_error(shell: Shell) -> None:
    command = f'{sys.executable} -m herodeploy --help | head -c 1; echo " ${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=shell.root)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_completion_of_commands_and_topics() -> None:
    def complete(words: str, at: int) -> list[str]:
        env = {"_HERODEPLOY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        command = [sys.executable, "-m", "herodeploy"]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, check=True)
        return done.stdout.split()

    assert complete("herodeploy re", 1) == ["resume", "reject", "resume-auto", "review"]
    assert complete("herodeploy review ", 2) == ["create", "list", "destroy", "sweep"]
    assert "--why" in complete("herodeploy mode --", 2)
