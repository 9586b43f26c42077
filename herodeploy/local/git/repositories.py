"""The bare git repositories of a platform's apps, and what git says about them."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from herodeploy.local import disk
from herodeploy.local.process import process

HOOK = Path(__file__).with_name("hook.py")
BUILT = ("main", "master")
"""Branches whose pushes are built."""
STEP_TIMEOUT = 300


class GitFailed(Exception):
    """git refused; the message is its last line."""


class Repositories:
    """One repository an app, made when it is first asked for; named by the app's id, so that renaming costs nothing.

    Parameters:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = asyncio.Lock()

    @property
    def folder(self) -> Path:
        """Where the repositories lie."""
        return self._folder

    def path(self, app_id: str) -> Path:
        """Return where an app's repository is or would be."""
        return self._folder / f"{app_id}.git"

    async def ensure(self, app_id: str) -> Path:
        """Return an app's repository, made where missing.

        Raises:
            GitFailed: it could not be made.
        """
        path = self.path(app_id)
        async with self._turn:
            if not (path / "hooks" / "pre-receive").exists():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                init = ["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path)]
                await _step(init, self._folder, settings())
                _install(path)
        return path

    async def forget(self, app_id: str) -> None:
        """Delete an app's repository."""
        await asyncio.to_thread(shutil.rmtree, self.path(app_id), ignore_errors=True)

    def point_head(self, app_id: str) -> None:
        """Let clones check out ``master`` where that was pushed and ``main`` was not."""
        path = self.path(app_id)
        main, master = (path / "refs" / "heads" / name for name in BUILT)
        if master.exists() and not main.exists():
            disk.write_private(path / "HEAD", b"ref: refs/heads/master\n")


async def commit_of(repository: Path, branch: str) -> str | None:
    """Return the commit that a branch points to; None where there is no such branch."""
    try:
        found = await run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", cwd=repository)
    except (GitFailed, OSError):
        return None
    return found.strip() or None


async def subject_of(repository: Path, commit: str, env: Mapping[str, str] | None = None) -> str:
    """Return the first line of a commit's message."""
    return (await run("log", "-1", "--format=%s", commit, cwd=repository, env=env)).strip()


async def export(repository: Path, commit: str, into: Path, env: Mapping[str, str] | None = None) -> Path:
    """Write a commit's files as a gzipped tarball into a private folder and return it.

    They are checked out, as Heroku does, not archived: ``export-ignore`` is about releases of a project, not builds.

    Parameters:
        env: variables for git, of a push whose objects are not in the repository yet.

    Raises:
        GitFailed: there is no such commit.
        OSError: the disk is full.
    """
    tree, index = into / "tree", into / f"index-{uuid.uuid4().hex[:8]}"
    tree.mkdir(parents=True)
    more = {**(env or {}), "GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(tree)}
    await run("read-tree", commit, cwd=repository, env=more)
    await run("checkout-index", "--all", "--quiet", cwd=repository, env=more)
    tarball = into / "source.tgz"
    await _step(["tar", "-czf", str(tarball), "-C", str(tree), "."], into, {})
    return tarball


async def run(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run git in a repository, with none of the user's variables or settings; return its output.

    Raises:
        GitFailed: it ended with an error, or took too long.
    """
    return await _step(["git", *arguments], cwd, {**settings(), "GIT_DIR": str(cwd), **(env or {})})


def settings() -> dict[str, str]:
    """Return variables that keep git from reading any configuration but a repository's own, and from asking anybody."""
    fixed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "HOME": "/nonexistent"}
    # Tidying up in the background would be cut off with the push that began it.
    return fixed | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "gc.autoDetach", "GIT_CONFIG_VALUE_0": "false"}


async def _step(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> str:
    lines: list[str] = []
    try:
        status = await process.run(process.Command(argv, cwd, process.clean_env(env)), lines.append, STEP_TIMEOUT)
    except TimeoutError:
        raise GitFailed(f"{argv[0]} took too long") from None
    if status != 0:
        raise GitFailed(lines[-1] if lines else f"{argv[0]} ended with status {status}")
    return "\n".join(lines)


def _install(path: Path) -> None:
    """Write the hook last, and whole: a repository that has it is complete."""
    hooks = path / "hooks"
    hooks.mkdir(exist_ok=True)
    fresh = hooks / "pre-receive.new"
    fresh.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(HOOK))}\n")
    fresh.chmod(0o700)
    fresh.replace(hooks / "pre-receive")
