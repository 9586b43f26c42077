from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Ended:
    code: int
    out: str
    err: str


class Shell:
    """Runs the real command in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *arguments: str, **env: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "herodeploy", *arguments],
            cwd=self.root,
            env={"HERODEPLOY_ACTOR": "ann@example.com", **os.environ, **env},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / name.replace("_dot_", ".")).write_text(text)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    return Shell(tmp_path)


@pytest.fixture
def repository(tmp_path: Path) -> Shell:
    """A shell in a git repository without commits."""
    root = tmp_path / "shop"
    root.mkdir()
    made = Shell(root)
    made.git("init", "--quiet", "--initial-branch=main")
    return made


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[..., tuple[str, int]]:
    """Run a command on a terminal of a width; return what it drew and its exit code."""

    def run(width: int, argv: list[str], typed: bytes = b"", cwd: Path = tmp_path, **env: str) -> tuple[str, int]:
        import fcntl
        import pty
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        # pytest-xdist says 80 columns to what it starts, whatever the terminal is.
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        surroundings = {**inherited, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **env}
        process = subprocess.Popen(argv, cwd=cwd, env=surroundings, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        if typed:
            os.write(ours, typed)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            drawn += piece
        os.close(ours)
        return drawn.decode().replace("\r\n", "\n"), process.wait(timeout=60)

    return run
