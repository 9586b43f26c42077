"""What benchmarks of the command line share: a repository with an applied pipeline on a local platform of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FILES = {
    "Procfile": 'web: python3 -m http.server "$PORT" --bind 127.0.0.1\n',
    "index.html": "hello\n",
    "app.json": '{"environments": {"test": {"scripts": {"test": "true"}}}}\n',
}


def surroundings(folder: Path) -> dict[str, str]:
    """Return an environment that points at no platform and no database but those in this folder."""
    dropped = ("HEROKU_", "HERODEPLOY_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"XDG_STATE_HOME": f"{folder}/state"}


def herodeploy(root: Path, env: Mapping[str, str], *arguments: str) -> str:
    """Run the command and return what it prints; one that fails ends the benchmark."""
    command = [sys.executable, "-m", "herodeploy", *arguments]
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"herodeploy {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Shop:
    """The repository of an app that needs no building, and its pipeline.

    Parameters:
        more: environment variables beside those of `surroundings`.
        ci: whether a test run comes before the first stage.
    """

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None, *, ci: bool = True) -> None:
        self.env = surroundings(folder) | dict(more or {})
        self.root = folder / "shop"
        self.root.mkdir()
        for name, text in FILES.items():
            (self.root / name).write_text(text)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Bench")
        self.git("config", "user.email", "bench@example.com")
        self.herodeploy("init", "--platform", "local", "--name", "shop", "--yes")
        if not ci:
            file = self.root / "herodeploy.yml"
            file.write_text(file.read_text().replace("provider: heroku", "provider: none"))
        self.commit()
        self.herodeploy("apply")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True)

    def herodeploy(self, *arguments: str) -> str:
        return herodeploy(self.root, self.env, *arguments)
