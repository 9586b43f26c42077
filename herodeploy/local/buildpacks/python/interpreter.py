"""Which Python an app asks for and which one it gets."""

from __future__ import annotations

import os
import platform
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from herodeploy.local.buildpacks.python.uv import Uv
from herodeploy.local.buildpacks.toolbox import CannotBuild, ask, step, tell, user_home, warn

PLAIN = re.compile(r"\d+(\.\d+){0,2}")


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter."""

    path: Path
    version: str


def choose(app: Path, uv: Uv) -> Python:
    """Return the interpreter that the app asks for, else the next best one with a warning that names it."""
    own = Python(Path(getattr(sys, "_base_executable", sys.executable)), platform.python_version())
    asked = wanted(app)
    if asked is None:
        tell(f"No Python version was asked for; using {own.version}. Name one in .python-version")
        return own
    version, file = asked
    if fits(own.version, version):
        return own
    found = uv.find(version) or of_pyenv(version)
    if found is None:
        step(f"Fetching Python {version}")
        found = uv.download(version)
    if found is not None:
        return Python(found, version_of(found) or version)
    nearest = near(version, uv)
    best = Python(nearest, version_of(nearest) or version) if nearest else own
    warn(f"{file} asks for Python {version}, which neither this machine nor uv can supply here.")
    warn(f"Using Python {best.version} instead; expect differences.")
    return best


def wanted(app: Path) -> tuple[str, str] | None:
    """Return the version an app asks for and the file that says so."""
    for name in (".python-version", "runtime.txt"):
        file = app / name
        lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
        words = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        if not words:
            continue
        version = words[0].removeprefix("python-").removeprefix("cpython-")
        if not PLAIN.fullmatch(version):
            raise CannotBuild(f"{name} says {words[0]!r}, which is no Python version such as 3.13 or 3.13.1")
        return version, name
    return required(app)


def required(app: Path) -> tuple[str, str] | None:
    """Return pyproject.toml's ``requires-python``."""
    file = app / "pyproject.toml"
    if not file.is_file():
        return None
    try:
        version = tomllib.loads(file.read_text()).get("project", {}).get("requires-python")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotBuild(f"pyproject.toml: {error}") from error
    return (str(version), "pyproject.toml") if version else None


def fits(version: str, asked: str) -> bool:
    """Tell whether a version is one that was asked for, as far as that can be told without uv."""
    if PLAIN.fullmatch(asked):
        return f"{version}.".startswith(f"{asked}.")
    at_least = re.fullmatch(r">=\s*(\d+)\.(\d+)(\.0)?", asked.strip())
    return at_least is not None and tuple(map(int, version.split(".")[:2])) >= tuple(map(int, at_least.group(1, 2)))


def near(version: str, uv: Uv) -> Path | None:
    """Return an interpreter of the same minor version, on this machine."""
    minor = ".".join(version.split(".")[:2])
    if minor == version or not PLAIN.fullmatch(version) or fits(platform.python_version(), minor):
        return None
    return uv.find(minor) or of_pyenv(minor)


def of_pyenv(version: str) -> Path | None:
    """Return an interpreter that pyenv has but does not show."""
    if not PLAIN.fullmatch(version):
        return None
    folders = (user_home() / ".pyenv" / "versions").glob(f"{version}*")
    fitting = [folder for folder in folders if fits(folder.name, version)]
    newest = max(fitting, key=lambda folder: [int(part) for part in re.findall(r"\d+", folder.name)], default=None)
    python = newest / "bin" / "python3" if newest else None
    return python if python is not None and version_of(python) else None


def version_of(python: Path) -> str | None:
    """Ask an interpreter for its version."""
    return ask([str(python), "-I", "-c", "import platform; print(platform.python_version())"], os.environ, Path("/"))
