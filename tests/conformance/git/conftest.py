"""A person with a git repository, the Heroku CLI, and what `herodeploy local env` prints."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from herodeploy.local import clients

TESTS = '{"environments": {"test": {"scripts": {"test": "sh tests.sh"}}}}'


@dataclass
class Person:
    """Someone at a shell in a repository."""

    cli: Any
    root: Path
    env: Mapping[str, str]

    def heroku(self, *arguments: str, check: bool = True, **more: Any) -> Any:
        """Run the real CLI in the repository."""
        return self.cli(*arguments, check=check, cwd=self.root, env=self.env, **more)

    def start(self, *arguments: str) -> Any:
        """Begin a command of the real CLI, whose input and output are pipes; whoever starts it ends it."""
        return self.cli.start(*arguments, cwd=self.root, env=self.env, stdin=subprocess.PIPE)

    def git(self, *arguments: str, code: int = 0, cwd: Path | None = None) -> str:
        """Run git; return what it said on both outputs."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.root,
            env={**self.cli.env, **self.env},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
        )
        assert done.returncode == code, f"git {arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def commit(self, message: str, **files: str) -> str:
        """Write files (``a_b`` is a.b), commit all, return the commit."""
        for name, text in files.items():
            (self.root / name.replace("_", ".")).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def person(heroku: Any, local: Any, tmp_path: Path) -> Callable[..., Person]:
    """Make a person whose app answers with a text: ``person(proxy=True)`` for what asks kolkrabbi.heroku.com."""

    def make(text: str = "hello", proxy: bool = False) -> Person:
        authority = Path(local.post("/_local/tls", status=200)["authority"])
        told = clients.variables(local.url, heroku.env["HEROKU_API_KEY"], authority, proxy=proxy, environ=heroku.env)
        mine = {"GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"), "HOME": str(tmp_path)}
        (tmp_path / "gitconfig").write_text("[user]\n\tname = Ann\n\temail = ann@example.com\n")
        someone = Person(heroku, tmp_path / "repository", told | mine)
        someone.root.mkdir()
        someone.git("init", "--quiet", "--initial-branch=main")
        procfile = 'web: python3 -m http.server "$PORT"\n'
        files = {"Procfile": procfile, "index_html": text, "app_json": TESTS, "tests_sh": "echo testing\n"}
        someone.commit("Begin", **files)
        return someone

    return make
