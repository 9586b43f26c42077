"""A git repository whose remote is an app of the platform under test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOKEN = "a-token-of-the-tests"


@dataclass
class Checkout:
    """A folder under git."""

    root: Path

    def git(self, *arguments: str, code: int | None = 0) -> str:
        """Run git; return what it printed on both outputs."""
        done = self.run(*arguments)
        assert code is None or done.returncode == code, f"git {arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run git to its end, outputs as one."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=self.env,
            text=True,
            stdout=-1,
            stderr=subprocess.STDOUT,
            timeout=240,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run git in the background, in a process group of its own."""
        return subprocess.Popen(
            ["git", *arguments],
            cwd=self.root,
            env=self.env,
            text=True,
            stdout=-1,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def env(self) -> dict[str, str]:
        """git's surroundings: nobody is asked for a password."""
        return {**os.environ, "GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "127.0.0.1"}

    def commit(self, message: str, files: dict[str, str]) -> str:
        """Write files, commit all, return the commit."""
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Checkout]:
    """Return what makes a repository with a remote ``heroku``: ``checkout(local, app, files)``."""

    def make(local: Any, app: Any, files: dict[str, str], token: str = TOKEN) -> Checkout:
        made = Checkout(tmp_path / f"checkout-{app['name']}")
        made.root.mkdir()
        made.git("init", "--quiet", "--initial-branch=main")
        made.git("remote", "add", "heroku", app["git_url"].replace("://", f"://any:{token}@"))
        made.commit("Begin", files)
        return made

    return make
