"""What the built-in buildpacks share: talking in Heroku's style, reading config vars, running tools."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UNSAFE = re.compile(r"PATH|GIT_DIR|CPATH|CPPATH|LD_.*|DYLD_.*|LIBRARY_PATH|PYTHONHOME|BASH_ENV|HOME")


class CannotBuild(Exception):
    """The app cannot be built; the message tells why and the way out."""


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of ``bin/compile``.

    Attributes:
        build: the app's folder.
        cache: kept between builds of this app.
        config: the config vars, a file each.
        export: the script to write for later buildpacks.
        test: for a test run, with what only tests need.
    """

    build: Path
    cache: Path
    config: Path
    export: Path
    test: bool

    @classmethod
    def from_argv(cls) -> Job:
        """Read the command line."""
        rest = [word for word in sys.argv[1:] if word != "--test"]
        build, cache, config, export = map(Path, rest)
        return cls(build, cache, config, export, "--test" in sys.argv)

    def config_vars(self) -> dict[str, str]:
        """Return the config vars, without those that would break the build's own tools."""
        files = sorted(self.config.iterdir()) if self.config.is_dir() else []
        return {f.name: f.read_text(errors="replace") for f in files if not UNSAFE.fullmatch(f.name)}

    def write_profile(self, name: str, script: str) -> None:
        """Write what dynos source at boot; ``$HOME`` is the app's folder there."""
        folder = self.build / ".profile.d"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(script)
        self.export.write_text(script.replace("$HOME", str(self.build)))


def shared(name: str) -> Path:
    """Return a folder for downloads that all apps share."""
    folder = Path(os.environ["HERODEPLOY_CACHE"]) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def user_home() -> Path:
    """Return the home of whoever started the platform, where the tools' own configuration lies."""
    return Path(os.environ["HERODEPLOY_HOME"])


def step(text: str) -> None:
    """Say what happens next."""
    _say(f"-----> {text}")


def tell(text: str) -> None:
    """Say more about it."""
    for line in text.splitlines():
        _say(f"       {line}")


def warn(text: str) -> None:
    """Say what is not as it was asked for."""
    for line in text.splitlines():
        _say(f" !     {line}")


def run(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> int:
    """Run a tool, its output indented as it comes; return its exit status."""
    with subprocess.Popen(argv, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        for line in child.stdout or ():
            tell(line.decode(errors="replace"))
    return child.returncode


def ask(argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> str | None:
    """Run a tool quietly; return what it printed, None when it failed."""
    try:
        done = subprocess.run(argv, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
