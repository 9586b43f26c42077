"""The tour's own git repository, made from the app that ships beside this file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

APP = Path(__file__).parent / "app"


class Repository:
    """A real git repository in a folder of its own.

    Parameters:
        root: where it is made; must not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(APP, root, ignore=shutil.ignore_patterns("__pycache__"))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", "Tour Guide")
        self._git("config", "user.email", "guide@example.com")
        self._git("config", "commit.gpgsign", "false")
        self.commit("A greeter")

    def branch(self, name: str) -> None:
        """Make a branch here and go to it."""
        self._git("switch", "--quiet", "--create", name)

    def merge(self, name: str) -> None:
        """Merge a branch into main, as a pull request does."""
        self._git("switch", "--quiet", "main")
        self._git("merge", "--quiet", "--no-ff", "--no-edit", name)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change one place of a file."""
        path = self.root / file
        text = path.read_text()
        if old not in text:
            raise ValueError(f"{file} does not say {old!r}")
        path.write_text(text.replace(old, new))

    def commit(self, message: str) -> None:
        """Commit all that changed."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def revert(self) -> None:
        """Undo the last commit by a new one."""
        self._git("revert", "--no-edit", "HEAD")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, stdout=subprocess.DEVNULL)
