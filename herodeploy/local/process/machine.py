"""What of this machine commands need to see although they are isolated: the system, and its interpreters."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

SYSTEM = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix")))
MANAGERS = (
    ".pyenv", ".nvm", ".asdf", ".tool-versions", ".volta", ".nodenv",
    ".local/share/fnm", ".local/share/mise", ".local/share/uv/python",
)  # fmt: skip
"""Where version managers keep interpreters in the user's home; none of them holds a secret."""

TOOLS = ("python3", "python", "node", "npm", "npx")


def interpreters() -> dict[Path, str | None]:
    """Return the folders and files that Python and Node.js are made of, outside of the system's own.

    A value is the target of a symbolic link on the way to one, None for a folder or file.
    """
    found: dict[Path, str | None] = dict.fromkeys(_our_python())
    found |= {Path.home() / name: None for name in MANAGERS}
    for tool in TOOLS:
        if path := shutil.which(tool):
            found |= dict(_way_to(Path(path)))
    found |= {path.resolve(): None for path, target in found.items() if target is None}
    return _outermost((path, target) for path, target in found.items() if path.exists() and not in_system(path))


def _our_python() -> list[Path]:
    """Return where our Python is installed, without what else its user may keep below the same prefix."""
    prefix = Path(sys.base_prefix)
    if prefix not in (Path.home() / ".local", *(Path.home() / "x").parents):
        return [prefix]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [*(prefix / "bin").glob("python*"), prefix / "lib" / version, *(prefix / "lib").glob("libpython*")]


def in_system(path: Path) -> bool:
    """Tell whether a path is part of the system, which everybody may see."""
    home = home_in_system()
    return any(path.is_relative_to(root) for root in SYSTEM) and not (home and path.is_relative_to(home))


def home_in_system() -> Path | None:
    """Return the user's home folder where it lies inside of the system's folders, and has to be hidden there."""
    home = Path.home()
    return home if any(root in home.parents for root in SYSTEM) else None


def outside_system(paths: Iterable[Path]) -> list[Path]:
    """Return those that exist and are no part of the system."""
    return [path for path in paths if path.exists() and not in_system(path)]


def name_resolution() -> list[Path]:
    """Return where ``/etc/resolv.conf`` really lies, when that is no part of the system."""
    return outside_system([Path("/etc/resolv.conf").resolve()])


def _way_to(program: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield the links that lead to a program, and the folder that it is installed in."""
    for _ in range(16):
        if in_system(program):
            return
        if not program.is_symlink():
            yield _installed_in(program), None
            return
        target = program.readlink()
        yield program, str(target)
        program = Path(os.path.normpath(program.parent / target))


def _installed_in(program: Path) -> Path:
    """Return the folder above ``bin``, unless it holds more than a program of the user's."""
    prefix = program.parent.parent
    shared = (Path.home() / ".local", *(Path.home() / "x").parents)
    return prefix if program.parent.name in ("bin", "shims") and prefix not in shared else program


def _outermost(entries: Iterable[tuple[Path, str | None]]) -> dict[Path, str | None]:
    """Leave out what lies inside of another folder."""
    found: dict[Path, str | None] = {}
    for path, target in sorted(entries):
        if not any(parent in found for parent in path.parents):
            found[path] = target
    return found
