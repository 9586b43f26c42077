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
from herodeploy.local.buildpacks.toolbox import CannotBuild, ask, step, tell, warn

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
    found = uv.find(version)
    if found is None:
        step(f"Fetching Python {version}")
        found = uv.download(version)
    if found is not None:
        return Python(found, version_of(found) or version)
    best = nearest(version, own, uv)
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


def nearest(asked: str, own: Python, uv: Uv) -> Python:
    """Return the interpreter on this machine whose minor version is closest, rather a newer one than an older one."""
    told = [int(part) for part in re.findall(r"\d+", asked)[:2]]
    minor = told[1] if len(told) == 2 and told[0] == 3 else sys.version_info.minor
    there = [own, *(Python(path, version) for version, path in uv.installed())]

    def distance(python: Python) -> tuple[int, bool]:
        its = int(python.version.split(".")[1])
        return abs(its - minor), its < minor

    return min(there, key=distance)


def version_of(python: Path) -> str | None:
    """Ask an interpreter for its version."""
    return ask([str(python), "-I", "-c", "import platform; print(platform.python_version())"], os.environ, Path("/"))
