"""The real Heroku CLI: found or installed once a machine, and run without anything of the developer's."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

WANTED = "heroku@>=11.10 <12"
INSTALL_TIMEOUT = 600
CALL_TIMEOUT = 240


def cache_folder() -> Path:
    """Return where tests keep what they install."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "herodeploy-tests"


def executable() -> Path:
    """Return the CLI, installed from npm where it is not there yet.

    HERODEPLOY_TEST_HEROKU_CLI names an installed one, or its bin folder. Without npm the test is skipped, saying so;
    in CI it fails.
    """
    given = os.environ.get("HERODEPLOY_TEST_HEROKU_CLI")
    if given:
        return Path(given) / "heroku" if Path(given).is_dir() else Path(given)
    folder = cache_folder() / "heroku-cli-11"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder / "lock"):
        found = folder / "node_modules" / ".bin" / "heroku"
        if not (folder / "installed").exists():
            _install(folder)
            (folder / "installed").touch()
        return found


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing = "npm is not installed: the real Heroku CLI cannot be had"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    command = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", WANTED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False)
    assert done.returncode == 0, f"npm could not install {WANTED}:\n{done.stderr}"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class HerokuCLI:
    """The CLI as a person with an empty home folder runs it, against one platform.

    Parameters:
        program: the executable.
        url: HEROKU_HOST.
        token: HEROKU_API_KEY; None for somebody who is not logged in.
        home: an empty folder: HOME and all XDG folders lie in it.
    """

    def __init__(self, program: Path, url: str, token: str | None, home: Path) -> None:
        self.program = program
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            **{f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG", "STATE")},
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "200",
            "HEROKU_HOST": url,
            "HEROKU_PARTICLEBOARD_URL": url,
            "HEROKU_BUILDPACK_REGISTRY_URL": url,
            "DISABLE_TELEMETRY": "true",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            # A file of its own: git replaces the file that it writes, even where that is /dev/null.
            "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
            "NO_PROXY": "127.0.0.1,localhost",
        }
        if token is not None:
            self.env["HEROKU_API_KEY"] = token

    def __call__(
        self,
        *arguments: str,
        check: bool = True,
        input: str | None = None,  # noqa: A002 # as subprocess names it
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; a failing one fails the test unless ``check`` is False."""
        done = subprocess.run(
            self.command(arguments),
            cwd=cwd or self.home,
            env=self.env | dict(env or {}),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            timeout=CALL_TIMEOUT,
            check=False,
        )
        if check:
            shown = f"heroku {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == 0, shown
        return done

    def start(
        self,
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Begin a command that goes on; whoever starts it ends it."""
        return subprocess.Popen(
            self.command(arguments),
            cwd=cwd or self.home,
            env=self.env | dict(env or {}),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the words of a command."""
        return [str(self.program), *arguments]
