"""``herodeploy init``: write herodeploy.yml, and a Procfile and app.json where they are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from herodeploy.cli import console
from herodeploy.cli.options import HERE, Directory, Json, Yes
from herodeploy.errors import UsageError

if TYPE_CHECKING:
    from herodeploy.config.detect import Findings
    from herodeploy.config.proposal import Answers
    from herodeploy.forge.git import Repository

init = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
MAIN_BRANCHES = ("main", "master", "trunk")


@dataclass(frozen=True, slots=True)
class Flags:
    """What was given on the command line, and whether a person can be asked for the rest."""

    name: str | None
    platform: str | None
    staging: list[str] | None
    production: list[str] | None
    branch: str | None
    web: str | None
    test: str | None
    verify: str | None
    mode: str
    force: bool
    asks: bool


@init.command("init")
def run(
    directory: Directory = HERE,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="PIPELINE", help="The pipeline's name.", show_default="made of the remote's or folder's name"
        ),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(metavar="heroku|local", help="Where it runs.", show_default="heroku")
    ] = None,
    staging: Annotated[
        list[str] | None, typer.Option(metavar="APP", help="An app of staging; may be given again.")
    ] = None,
    production: Annotated[
        list[str] | None, typer.Option(metavar="APP", help="An app of production; may be given again.")
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(metavar="BRANCH", help="The branch that is delivered.", show_default="main, or the current one"),
    ] = None,
    web: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Command of the web process, for a Procfile.")
    ] = None,
    test: Annotated[str | None, typer.Option(metavar="COMMAND", help="Command that runs the tests.")] = None,
    verify: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Path that answers 200 when the app is healthy.", show_default="/"),
    ] = None,
    mode: Annotated[str, typer.Option(metavar="delivery|deployment", help="Whether a person approves.")] = "delivery",
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace herodeploy.yml, add the tests to app.json, and put what --web says into the Procfile.",
        ),
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Look at the repository and write herodeploy.yml, with a Procfile and app.json where they are missing.

    It asks for what it cannot see; with --yes it takes what it proposes. Files that are there already are kept.
    """
    from herodeploy.config.detect import look
    from herodeploy.config.proposal import CONFIG, ci_is_off, proposal
    from herodeploy.forge.git import Repository

    repository = Repository.open(directory)
    if (repository.root / CONFIG).exists() and not force:
        raise UsageError(f"{CONFIG} is there already", hint="edit it, or replace it with --force")
    asks = not yes and not json and console.someone_is_there()
    flags = Flags(name, platform, staging, production, branch, web, test, verify, mode, force, asks)
    findings = look(repository.root, remote=repository.remote_url())
    named = name or findings.name or repository.root.name
    console.info(f"{named}: {findings.kind or 'no language or framework that herodeploy knows'}")
    answers = _answers(repository, findings, flags)
    if asks and ci_is_off(findings, answers):
        answers = replace(answers, amend=console.agrees(f"app.json names no tests. Add `{answers.test}` to it?"))
    files = proposal(findings, answers)
    _check(files)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    notes = [*findings.notes, *([_ci_note(answers)] if ci_is_off(findings, answers) else [])]
    _tell([path.name for path in files], notes, answers, json=json)


def _answers(repository: Repository, findings: Findings, flags: Flags) -> Answers:
    from herodeploy.config.proposal import Answers, app_name

    pipeline = flags.name or _ask(flags, "Pipeline name", findings.name, "--name", _no_pipeline)
    web = flags.web or _web(findings, flags)
    answers_requests = web is not None or "web" in (findings.procfile or findings.processes)
    return Answers(
        pipeline=pipeline,
        platform=flags.platform or _ask(flags, "Platform (heroku or local)", "heroku", "--platform", _no_platform),
        staging=tuple(flags.staging or [app_name(pipeline, "staging")]),
        production=tuple(flags.production or [app_name(pipeline, "production")]),
        mode=flags.mode,
        web=web,
        test=flags.test or findings.test or (_ask_for_test() if flags.asks else None),
        branch=flags.branch or _branch(repository),
        verify=(flags.verify or "/") if answers_requests else None,
        force=flags.force,
    )


def _ask(flags: Flags, question: str, default: str | None, option: str, wrong: Callable[[str], str | None]) -> str:
    if flags.asks:
        return console.ask(question, default, wrong)
    if default is None:
        raise UsageError(f"cannot tell: {question.lower()}", hint=f"say it with {option}")
    return default


def _no_pipeline(text: str) -> str | None:
    from herodeploy.config import names

    if names.PIPELINE.fullmatch(text):
        return None
    near = names.valid(text)
    return f"'{text}' is no pipeline name: {names.PIPELINE_RULE}" + (f"; such as {near}" if near else "")


def _no_platform(text: str) -> str | None:
    return None if text in ("heroku", "local") else f"'{text}' is neither heroku nor local"


def _web(findings: Findings, flags: Flags) -> str | None:
    if findings.procfile is not None or "web" in findings.processes:
        return None
    if flags.asks:
        return console.ask("There is no Procfile. Command that starts the web process, listening on $PORT")
    raise UsageError(
        "there is no Procfile, and nothing in the repository says how the app starts",
        hint="say it: herodeploy init --web 'COMMAND', or write a Procfile with a line such as: web: ./serve $PORT",
    )


def _ask_for_test() -> str | None:
    return console.ask("No tests were found. Command that runs them (empty: none)", "") or None


def _branch(repository: Repository) -> str | None:
    current, known = repository.branch(), repository.branches()
    if current in MAIN_BRANCHES:
        return current
    return next((name for name in MAIN_BRANCHES if name in known), current)


def _check(files: dict[Path, str]) -> None:
    """Read what would be written with our own parsers, so that a bad flag is met before anything is written."""
    from herodeploy.config import load, procfile

    for path, text in files.items():
        if path.suffix == ".yml":
            load.parse(text, f"the proposed {path.name}")
        elif path.name == "Procfile":
            procfile.parse(text, "the proposed Procfile")


def _ci_note(answers: Answers) -> str:
    return (
        f"app.json names no test command, so CI is off; put {answers.test!r} under environments.test.scripts.test "
        "and set ci.provider to heroku, or let `herodeploy init --force` do both"
    )


def _tell(written: list[str], notes: list[str], answers: Answers, *, json: bool) -> None:
    for note in notes:
        console.warn(note)
    if json:
        apps = {"staging": list(answers.staging), "production": list(answers.production)}
        console.say_json({"pipeline": answers.pipeline, "apps": apps, "written": written, "notes": notes})
        return
    for name in written:
        console.say(f"wrote {name}")
    console.info(f"Look them over, then: git add {' '.join(written)} && git commit && herodeploy apply")
