"""What the documents say is so: commands, configuration, words, figures and links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from herodeploy.cli import docs
from herodeploy.cli.main import app
from herodeploy.config.load import parse
from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import Stage
from herodeploy.errors import ExitCode
from herodeploy.gates.registry import GATES
from herodeploy.local.build import catalog, tools
from herodeploy.local.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
DESIGN = (
    "pipeline", "coupling", "stage", "app", "add-on", "config var", "formation", "dyno", "buildpack", "stack", "build",
    "slug", "artifact", "release", "release phase", "deploy", "promotion", "target", "wave", "rollback", "change",
    "delivery", "leg", "step", "gate", "verdict", "mode", "approval", "verification", "superseded", "review app",
    "test run", "forge", "failed", "errored", "event", "local platform", "actor",
)  # fmt: skip


def ids(path: Path) -> str:
    return path.name


def blocks(page: Path, *kinds: str) -> Iterator[str]:
    yield from (text for kind, text in BLOCK.findall(page.read_text()) if kind in kinds)


def typed(page: Path) -> Iterator[str]:
    """Yield the commands that a page tells its reader to type."""
    for block in blocks(page, "console"):
        yield from (line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ "))
    for block in blocks(page, "sh", ""):
        yield from (line for line in block.splitlines() if re.match(r"(herodeploy|make) ", line))


def mentioned(page: Path) -> Iterator[str]:
    """Yield the commands that stand within a page's sentences."""
    text = BLOCK.sub("", page.read_text())
    yield from (" ".join(found.split()) for found in re.findall(r"`(herodeploy [a-z-][^`]*)`", text))


def ours(line: str) -> list[list[str]]:
    """Return the words of each herodeploy command in a shell line."""
    return [shlex.split(each) for each in re.findall(r"(?:^|[ (])herodeploy (?=[a-z-])([^)]*)", line)]


def find(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that words name, and the words after its name."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "get_command") and words and not words[0].startswith("-"):
        child = command.get_command(None, words[0])
        assert child is not None, f"there is no command {words[0]!r}"
        command, words = child, words[1:]
    return command, words


def test_the_commands_to_type_exist_with_their_options() -> None:
    lines = [(page, line) for page in PAGES for line in typed(page)]
    commands = [(page, line, words) for page, line in lines for words in ours(line)]
    assert len(commands) > 25
    for page, line, words in commands:
        try:
            command, rest = find(words)
            assert not hasattr(command, "get_command"), "it is only a topic"
            command.make_context("herodeploy", rest)
        except Exception as error:
            raise AssertionError(f"{page.name}: {line}: {error}") from error


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_the_commands_in_sentences_exist(page: Path) -> None:
    for text in mentioned(page):
        if re.match(r"herodeploy [A-Z]", text) or "..." in text:
            continue
        command, rest = find(text.removeprefix("herodeploy ").replace("[", "").replace("]", "").split())
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        unknown = {word for word in rest if word.startswith("-")} - known - {"--help", "--install-completion"}
        assert not unknown, f"{text}: {unknown}"


def test_the_readme_shows_every_command_of_the_main_job() -> None:
    shown = {" ".join(find_name(words)) for line in typed(ROOT / "README.md") for words in ours(line)}
    assert shown >= {
        "init", "apply", "review create", "review list", "review destroy", "deliver", "status", "approve", "mode",
        "promote", "rollback", "resume", "history", "ci run", "local status", "local env", "local logs", "local stop",
    }  # fmt: skip


def test_the_readme_puts_the_command_on_the_path_before_it_is_typed() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.index('\nexport PATH="$PWD/.venv/bin:$PATH"\n') < text.index("\n$ herodeploy ")


def find_name(words: list[str]) -> list[str]:
    _, rest = find(words)
    return words[: len(words) - len(rest)]


def test_what_is_to_be_made_can_be_made() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^)make (\w+)", page.read_text(), re.MULTILINE)}
    assert {"demo", "test"} <= named <= targets


def test_configuration_that_is_shown_can_be_read() -> None:
    shown = [text for page in PAGES for text in blocks(page, "yaml") if text.startswith(("#", "pipeline:"))]
    assert len(shown) >= 2
    for text in shown:
        assert parse(text, "herodeploy.yml").stages


@pytest.mark.parametrize("path", list(docs.documents(ROOT)), ids=ids)
def test_generated_documents_are_up_to_date(path: Path) -> None:
    assert path.read_text() == docs.documents(ROOT)[path], "write them anew: make docs"


def test_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (ROOT / "docs" / "exit-codes.md").read_text(), re.MULTILINE)
    assert [int(code) for code, _ in rows] == [code.value for code in ExitCode]
    summary = ", ".join(f"{code} {meaning}" for code, meaning in rows)
    assert summary in " ".join((ROOT / "README.md").read_text().split())
    assert summary in (ROOT / "docs" / "cli.md").read_text()


def test_the_glossary_has_the_words() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| **")]
    defined = " ".join(re.findall(r"[\w -]+", " ".join(word for word, _ in rows)))
    assert [word for word in DESIGN if not re.search(rf"\b{word}\b", defined)] == []
    whole = text.lower()
    values = [str(each.value) for kind in (Status, Mode, Stage, Answer) for each in kind] + list(GATES)
    assert [value for value in values if not re.search(rf"\b{value.lower()}\b", whole)] == []


def test_each_word_is_defined_once() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert len(words) == len(set(words))


def test_the_local_platforms_settings_are_documented() -> None:
    text = (ROOT / "docs" / "local-platform.md").read_text()
    rows = dict(re.findall(r"^\| `HERODEPLOY_LOCAL_(\w+)` \| `?([^|`]+)`? \|", text, re.MULTILINE))
    settings = {each.name.upper(): each.default for each in fields(Settings) if each.type == "float"}
    assert {name: float(rows.pop(name)) for name in settings} == settings
    usual = Settings(Path())
    assert rows == {"SLUG_LIMIT": str(usual.slug_limit), "ISOLATION": usual.isolation, "ISOLATION_PATHS": "none"}


@pytest.mark.parametrize("name", [*catalog.BUILT_IN, *tools.CERTIFICATES, *tools.FILES, *tools.PROXIES[:3], "NO_PROXY"])
def test_what_reaches_builds_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "local-platform.md").read_text()


def test_herodeploys_own_variables_are_documented() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "herodeploy").rglob("*.py"))
    used = set(re.findall(r"\"(HERODEPLOY_[A-Z_]+[A-Z])\"", source))
    # Those of the built-in buildpacks are between the platform and them alone.
    private = {"HERODEPLOY_PYTHON", "HERODEPLOY_CACHE", "HERODEPLOY_HOME"}
    readme = (ROOT / "README.md").read_text()
    assert [name for name in sorted(used - private) if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.is_file(), f"{page.name} links to {link}"
        assert target.resolve().is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_pages_name_no_folder_of_somebodys_machine(page: Path) -> None:
    text = re.sub(r"/tmp/(build_|codon/|cache<|d<)", "", page.read_text())  # Heroku's own
    assert not re.search(r"(?<![\w.~])/(home|root|tmp|work|Users|private|var)/", text)


WSGI = """\
import os
from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello\\n"]


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ["PORT"]), app).serve_forever()
"""
UNITTEST = "import unittest\n\n\nclass HelloTest(unittest.TestCase):\n    def test_it(self):\n        pass\n"
VARYING = (
    (r" \((\d+m)?\d+s\)$", ""),
    (r"\d{8}-\d{6}-[0-9a-f]{4}", "ID"),
    (r"\b[0-9a-f]{8}\b", "COMMIT"),
    (r"\bv\d+\b", "vN"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? (UTC([+-]\d{4})?|[A-Z]+)\b", "WHEN"),
    (r":\d{4,5}\b", ":PORT"),
    (r"hello-warmer-\w{6}", "hello-warmer-RANDOM"),
    (r"#\d+", "#N"),
    (r"\b\d+[smh] ago", "AGO"),
    (r"in \d+\.\d+s", "in TIME"),
    (r" +", " "),
)


def alike(line: str) -> str:
    """Return a line of output without what differs from run to run."""
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def printed(page: Path) -> Iterator[str]:
    """Yield the lines that a page shows as the output of commands on a pipeline."""
    for block in blocks(page, "console"):
        command = ""
        for line in block.splitlines():
            if line.startswith("$ "):
                command = line
            elif re.match(r"\$ herodeploy (?!init|local)", command) and not re.search(
                r"\^C|\.\.\.( |$)|^Warning", line
            ):
                yield line


def test_the_readme_shows_what_the_program_prints(person: Callable[..., Any]) -> None:
    readme = ROOT / "README.md"
    config = next(blocks(readme, "yaml"))
    test = "python -m unittest discover -p 'test*.py'"
    ann = person(
        {
            "app.py": WSGI,
            "test_app.py": UNITTEST,
            "requirements.txt": "",
            "Procfile": "web: python app.py\n",
            "app.json": f'{{"environments": {{"test": {{"scripts": {{"test": "{test}"}}}}}}}}',
            "herodeploy.yml": config,
        },
        "hello",
    )
    said = ""

    def run(*words: str) -> None:
        nonlocal said
        ended = ann.herodeploy(*words)
        said += f"{ended.err}\n{ended.out}\n"

    run("apply")
    run("apply")
    ann.git("switch", "--quiet", "--create", "warmer")
    ann.commit("Greet warmly", app_dot_py=WSGI.replace("Hello", "Hello there"))
    run("review", "create", "--branch", "warmer")
    run("review", "list")
    run("review", "destroy", "warmer", "--yes")
    ann.git("switch", "--quiet", "main")
    ann.git("merge", "--quiet", "--no-ff", "--message", "Merge branch 'warmer'", "warmer")
    run("deliver")
    run("status")
    run("lock", "--why", "the sale", "--for", "2h")
    run("locks")
    run("why")
    run("unlock")
    run("approve", ann.waiting()[-4:], "-m", "looks good")
    run("mode", "deployment", "--why", "staging has proven itself")
    ann.commit("Greet formally", app_dot_py=WSGI.replace("Hello", "Good day"))
    run("deliver")
    run("rollback", "production", "--why", "customers miss the old greeting")
    run("promote")
    run("history", "-n", "3")
    run("ci", "run")
    there = {alike(line) for line in said.splitlines()}
    # What a resumed delivery says first is proven where deliveries are cut.
    shown = [line for line in printed(readme) if not line.startswith("carrying on ")]
    assert len(shown) > 60
    assert [line for line in shown if alike(line) not in there] == [], said
