"""Where buildpacks come from: the built-in ones by name, others by folder or git URL."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from herodeploy.local.build import tools
from herodeploy.local.build.failure import BuildFailed
from herodeploy.local.process import process
from herodeploy.local.threads import in_thread

Output = Callable[[str], None]

FOLDER = Path(__file__).parent.parent / "buildpacks"
BUILT_IN = {"heroku/nodejs": "nodejs", "heroku/python": "python", "herodeploy/procfile": "procfile"}
"""Name -> folder, in the order in which they are tried on an app that names no buildpack."""

REGISTRY = re.compile(
    r"(?:urn:buildpack:|https://buildpack-registry\.s3\.amazonaws\.com/buildpacks/)?([\w-]+/[\w-]+?)(?:\.tgz)?"
)
HEROKUS = re.compile(r"(?:https://|git://|git@)github\.com[/:](heroku)/heroku-buildpack-(\w+?)(?:\.git)?(?:#.*)?/?")
GIT = re.compile(r"(?:https?|git|ssh|git\+ssh|file)://\S+|[\w.-]+@[\w.-]+:\S+")
FETCH_TIMEOUT = 120.0


def built_in(url: str) -> str | None:
    """Return the name of the built-in buildpack that a name or URL of Heroku's stands for."""
    found = REGISTRY.fullmatch(url) or HEROKUS.fullmatch(url)
    name = "/".join(found.groups()) if found else url
    name = "herodeploy/procfile" if name == "procfile" else name
    return name if name in BUILT_IN else None


def shown(url: str) -> str:
    """Return a URL without the password or token that may be in it."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", url)


async def fetch(url: str, into: Path, shared: Path, output: Output) -> None:
    """Put a copy of a buildpack into a new folder; a build may write into it.

    Parameters:
        shared: where clones are kept, for the day on which their origin does not answer.

    Raises:
        BuildFailed: there is no such buildpack, or it could not be cloned.
    """
    name = built_in(url)
    folder = FOLDER / BUILT_IN[name] if name else _folder(url)
    if folder is not None:
        if not (folder / "bin" / "detect").is_file():
            raise BuildFailed(f"{shown(url)} is no buildpack: it has no bin/detect")
        await in_thread(_copy, folder, into)
    elif url.endswith((".tgz", ".tar.gz")) or not GIT.fullmatch(url):
        raise BuildFailed(
            f"buildpack {shown(url)!r} is not built in (those are {', '.join(BUILT_IN)});"
            " name it by its git URL or by an absolute path"
        )
    else:
        await _clone(url, into, shared / "buildpacks" / hashlib.sha256(url.encode()).hexdigest()[:32], output)


def _folder(url: str) -> Path | None:
    """Return the folder that a path or file:// URL names; the latter may name a git repository instead."""
    if url.startswith("/"):
        return Path(url)
    folder = Path(unquote(urlsplit(url).path))
    return folder if url.startswith("file://") and (folder / "bin").is_dir() else None


async def _clone(url: str, into: Path, kept: Path, output: Output) -> None:
    address, _, ref = url.partition("#")
    argv = ["git", "clone", "--quiet", "--depth", "1", *(["--branch", ref] if ref else []), "--", address, str(into)]
    env = process.clean_env(tools.settings() | {"GIT_TERMINAL_PROMPT": "0", "HOME": str(Path.home())})
    lines: list[str] = []
    try:
        status = await process.run(process.Command(argv, into.parent, env), lines.append, FETCH_TIMEOUT)
    except TimeoutError:
        status = 1
        lines.append(f"no answer within {FETCH_TIMEOUT:.0f} s")
    if status == 0:
        await in_thread(_keep, into, kept)
    elif kept.is_dir():
        output(f" !     Buildpack {shown(url)} could not be fetched; using the copy of an earlier build")
        await in_thread(_put_back, kept, into)
    else:
        for line in lines:
            output(f"       {shown(line)}")
        raise BuildFailed(f"buildpack {shown(url)} could not be cloned")


def _copy(folder: Path, into: Path) -> None:
    shutil.copytree(folder, into, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))


def _put_back(kept: Path, into: Path) -> None:
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(kept, into, symlinks=True)


def _keep(folder: Path, kept: Path) -> None:
    """Keep a clone for later; when another build does so at the same instant, either copy is as good."""
    fresh = kept.with_name(f"{kept.name}.{folder.parent.parent.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(folder, fresh, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    shutil.rmtree(kept, ignore_errors=True)
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
