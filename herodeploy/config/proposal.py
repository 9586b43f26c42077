"""The files that `herodeploy init` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herodeploy.config import names
from herodeploy.config.detect import Findings
from herodeploy.config.load import read_text

CONFIG = "herodeploy.yml"
YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person decided.

    Parameters:
        web: the command of the web process, when no Procfile stands there and none was certain.
        test: the command that CI runs; None for no CI.
        branch: the branch that is delivered; None for any.
        verify: path of the HTTP check; None for none, where no process answers requests.
        amend: the test command may be added to the app.json that stands there.
        force: what is given here replaces what the files that stand there say.
    """

    pipeline: str
    platform: str
    staging: tuple[str, ...]
    production: tuple[str, ...]
    mode: str = "delivery"
    web: str | None = None
    test: str | None = None
    branch: str | None = None
    verify: str | None = "/"
    amend: bool = False
    force: bool = False


def app_name(pipeline: str, stage: str) -> str:
    """Return the app name to propose for a stage, of a length that Heroku accepts."""
    return f"{pipeline[: 30 - len(stage) - 1].rstrip('-')}-{stage}"


def names_are_valid(*apps: str) -> bool:
    """Return whether Heroku accepts all these app names."""
    return all(names.APP.fullmatch(app) for app in apps)


def proposal(findings: Findings, answers: Answers) -> dict[Path, str]:
    """Return the files to write, by path; what stands there already is left out, or keeps what nobody gave anew.

    A Procfile that stands there is how the app runs today: only a web command that a person gave changes it.
    """
    root = findings.root
    files = {root / CONFIG: herodeploy_yml(findings, answers)}
    given = {"web": answers.web} if answers.web else {}
    there = findings.procfile
    processes = {**(findings.processes if there is None else there), **given}
    if processes and (there is None or (answers.force and there != processes)):
        files[root / "Procfile"] = "".join(f"{kind}: {command}\n" for kind, command in processes.items())
    if findings.app_json is None:
        files[root / "app.json"] = app_json(findings, answers, findings.procfile or processes)
    elif _amends(answers) and not _by_buildpack(answers) and (text := amended(findings, answers)):
        files[root / "app.json"] = text
    return files


def herodeploy_yml(findings: Findings, answers: Answers) -> str:
    """Return a short, commented herodeploy.yml."""
    verify = f"    verify: {{path: {answers.verify}, status: 200, within: 60s}}\n" if answers.verify else ""
    branch = f"    branch: {_word(answers.branch)}\n" if answers.branch else ""
    return f"""\
# herodeploy carries a commit from CI through these stages. All keys: docs/configuration.md of herodeploy.
pipeline: {_word(answers.pipeline)}
platform: {answers.platform:<22}# heroku, or local: a platform on this machine, to try things out
mode: {answers.mode:<26}# delivery: a person approves production. deployment: nobody needs to

ci:
{_ci(findings, answers)}
stages:                         # in order; the first one builds, the next receive what it built
  staging:
    apps: {_list(answers.staging)}
{branch}{verify}
  production:
    apps: {_list(answers.production)}
{verify}    on_failure: rollback        # put the previous release back when the new one fails its check
"""


def app_json(findings: Findings, answers: Answers, processes: Mapping[str, str]) -> str:
    """Return an app.json that makes review apps and CI work."""
    content: dict[str, Any] = {"name": answers.pipeline}
    if "web" in processes:
        content["formation"] = {"web": {"quantity": 1}}
    if answers.test:
        content["environments"] = {"test": {"scripts": _scripts(findings, answers.test)}}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def amended(findings: Findings, answers: Answers) -> str | None:
    """Return the app.json that stands there with the test command added, or None when nothing is to be added."""
    if findings.app_json is None or not answers.test or findings.app_json.test_command == answers.test:
        return None
    content = json.loads(read_text(findings.root / "app.json"))
    test = (content.setdefault("environments", {})).setdefault("test", {})
    test.setdefault("scripts", {}).update(_scripts(findings, answers.test))
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def ci_is_off(findings: Findings, answers: Answers) -> bool:
    """Return whether there is a test command, but the app.json that stands there does not name it."""
    return not _amends(answers) and not _by_buildpack(answers) and amended(findings, answers) is not None


def _amends(answers: Answers) -> bool:
    return answers.amend or answers.force


def _by_buildpack(answers: Answers) -> bool:
    # Heroku's Node.js buildpack runs `npm test` when app.json names nothing.
    return answers.test == "npm test"


def _scripts(findings: Findings, test: str) -> dict[str, str]:
    setup = findings.test_setup if test == findings.test else None
    return ({"test-setup": setup} if setup else {}) | {"test": test}


def _ci(findings: Findings, answers: Answers) -> str:
    if answers.test and not ci_is_off(findings, answers):
        return f"  provider: heroku              # tests every commit: {answers.test}\n"
    return "  provider: none                # with tests named in app.json (environments.test.scripts.test): heroku\n"


def _word(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", text) and text.lower() not in YAML_WORDS
    return text if plain else json.dumps(text)


def _list(apps: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_word, apps))}]"
