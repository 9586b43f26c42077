"""A user's git repository, read through the git command; nothing here ever writes to it."""

from __future__ import annotations

import difflib
import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from herodeploy.domain.change import Change
from herodeploy.errors import RepositoryError

TIMEOUT = 120.0
"""Seconds that one git command may take; `archive` gets five times as much."""

_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
_SET = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
_CONFIG = (
    *("-c", "color.ui=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "tar.umask=0022"),
)
_FIELDS = "%H%x00%s%x00%aE%x00%aN"


class Repository:
    """A git work tree.

    Parameters:
        root: its top folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"Repository({str(self.root)!r})"

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Return the repository that `path` lies in.

        Raises RepositoryError where there is none, where it is bare, and where git itself is missing.
        """
        path = path.absolute()
        if not path.is_dir():
            raise RepositoryError(f"{path} is not a folder")
        found = _git(path, "rev-parse", "--is-bare-repository", "--is-inside-work-tree")
        if found.returncode:
            raise _cannot_open(path, _text(found.stderr))
        bare, inside = _text(found.stdout).split()
        if bare == "true" or inside == "false":
            raise RepositoryError(
                f"{path} is a bare git repository", hint="run herodeploy in a clone that has its files checked out"
            )
        top = _git(path, "rev-parse", "--show-toplevel")
        return cls(Path(_text(top.stdout).rstrip("\n")))

    def head(self) -> Change:
        """Return the commit that is checked out, with its branch."""
        commit = self._commit("HEAD")
        if commit is None:
            raise RepositoryError(
                f"{self.root} has no commits yet",
                hint="make the first one: git add -A && git commit -m 'First version'",
            )
        return self._change(commit, self.branch())

    def resolve(self, ref: str) -> Change:
        """Return the commit that `ref` names: a branch, else a tag, hash or anything git understands.

        A branch that only a remote has counts too. An unknown one raises RepositoryError with the nearest branches.
        """
        if ref == "HEAD":
            return self.head()
        if ref and not ref.startswith("-"):
            for name, branch in self._candidates(ref):
                commit = self._commit(name)
                if commit is not None:
                    return self._change(commit, branch)
        self.head()
        raise RepositoryError(f"git knows no branch, tag or commit {ref!r} in {self.root}", hint=self._nearest(ref))

    def branch(self) -> str | None:
        """Return the branch that is checked out; None on a detached HEAD."""
        found = _git(self.root, "symbolic-ref", "--quiet", "--short", "HEAD")
        return _text(found.stdout).strip() or None

    def branches(self) -> list[str]:
        """Return the local branches, the one with the newest commit first."""
        listed = self._read("for-each-ref", "--sort=-committerdate", "--format=%(refname:lstrip=2)", "refs/heads")
        return listed.splitlines()

    def has_branch(self, name: str) -> bool:
        """Whether there is a branch of that name, here or as a remote had it at the last fetch."""
        remotes = self._read("remote").split()
        wanted = {f"refs/heads/{name}", *(f"refs/remotes/{remote}/{name}" for remote in remotes)}
        return not wanted.isdisjoint(self._read("for-each-ref", "--format=%(refname)").splitlines())

    def dirty(self) -> list[str]:
        """Return the paths that are changed, staged or untracked; none of that is part of a commit."""
        entries = iter(self._read("status", "--porcelain=v1", "-z", "--untracked-files=normal").split("\0"))
        paths = []
        for entry in entries:
            if not entry:
                continue
            paths.append(entry[3:])
            if entry[0] in "RC":
                next(entries, None)  # the old name of what was renamed or copied
        return paths

    def archive(self, commit: str, into: Path) -> Path:
        """Write a gzipped tarball of exactly that commit and return its path.

        Parameters:
            into: the file to write, or an existing folder that gets ``<commit>.tar.gz``.

        The same commit gives the same bytes. What .gitattributes marks ``export-ignore`` is left out.
        """
        known = self._known(commit)
        target = into / f"{known}.tar.gz" if into.is_dir() else into
        partial = target.with_name(f"{target.name}.partial")
        try:
            with partial.open("wb") as file:
                _write_archive(self.root, known, file)
            partial.replace(target)
        except OSError as error:
            raise RepositoryError(f"cannot write {target}: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    def read(self, commit: str, path: str) -> str | None:
        """Return a file as it is in that commit; None where the commit has no such file."""
        known = self._known(commit)
        entry = self._read("ls-tree", "-z", known, "--", path).split("\0")[0]
        kind = entry.partition("\t")[0].split(" ")
        if len(kind) < 3 or kind[1] != "blob":
            return None
        return self._read("cat-file", "blob", kind[2])

    def submodules(self, commit: str) -> list[str]:
        """Return the paths of submodules; an archive has only empty folders in their place."""
        listed = self._read("ls-tree", "-r", "-z", self._known(commit)).split("\0")
        return [entry.partition("\t")[2] for entry in listed if entry.startswith("160000 ")]

    def is_ancestor(self, a: str, b: str) -> bool:
        """Whether commit `a` is `b` or is contained in its history."""
        answer = _git(self.root, "merge-base", "--is-ancestor", self._known(a), self._known(b))
        if answer.returncode > 1:
            raise RepositoryError(f"git cannot compare {a} with {b}: {_reason(answer.stderr)}")
        return answer.returncode == 0

    def count(self, a: str, b: str) -> int:
        """Return how many commits `b` has in its history, itself counted, that `a` has not."""
        return int(self._read("rev-list", "--count", f"{self._known(a)}..{self._known(b)}"))

    def between(self, a: str, b: str) -> list[str]:
        """Return the commits that `b` has and `a` has not, newest first, `b` among them."""
        return self._read("rev-list", self._known(b), f"^{self._known(a)}").split()

    def remote_url(self) -> str | None:
        """Return the address of ``origin``, else of the first remote, without any password in it."""
        remotes = self._read("remote").split()
        if not remotes:
            return None
        name = "origin" if "origin" in remotes else remotes[0]
        url = _text(_git(self.root, "config", "--get", f"remote.{name}.url").stdout).strip()
        return re.sub(r"^(\w+://)[^/@]*@", r"\1", url) if url.startswith("http") else url or None

    def _candidates(self, ref: str) -> list[tuple[str, str | None]]:
        remotes = self._read("remote").split()
        return [
            (f"refs/heads/{ref}", ref),
            (ref, None),
            *((f"refs/remotes/{remote}/{ref}", ref) for remote in sorted(remotes, key=lambda name: name != "origin")),
        ]

    def _commit(self, ref: str) -> str | None:
        found = _git(self.root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return _text(found.stdout).strip() or None if found.returncode == 0 else None

    def _known(self, commit: str) -> str:
        found = None if commit.startswith("-") else self._commit(commit)
        if found is None:
            raise RepositoryError(
                f"{self.root} has no commit {commit!r}",
                hint="fetch it first: git fetch --all (--unshallow in a shallow clone)",
            )
        return found

    def _change(self, commit: str, branch: str | None) -> Change:
        shown = self._read("log", "-1", f"--format={_FIELDS}", "--encoding=UTF-8", commit).rstrip("\n")
        full, message, email, name = shown.split("\0")
        return Change(commit=full, branch=branch, message=message, author=email or name)

    def _nearest(self, ref: str) -> str:
        branches = self.branches()
        near = difflib.get_close_matches(ref, branches, n=3, cutoff=0.5) or branches[:3]
        return "nearest branches: " + ", ".join(near) if near else "there are no branches"

    def _read(self, *arguments: str) -> str:
        done = _git(self.root, *arguments)
        if done.returncode:
            raise RepositoryError(f"git {arguments[0]} failed in {self.root}: {_reason(done.stderr)}")
        return _text(done.stdout)


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            _argv(*arguments),
            cwd=root,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RepositoryError(f"git {arguments[0]} did not end within {TIMEOUT:.0f} s in {root}") from None
    except OSError as error:
        raise RepositoryError(f"git cannot be started in {root}: {error.strerror}") from error


def _argv(*arguments: str) -> Sequence[str]:
    git = shutil.which("git")
    if git is None:
        raise RepositoryError("git is not on PATH", hint="install git, for example: apt install git")
    return [git, "--no-pager", *_CONFIG, *arguments]


def _environment(surroundings: Mapping[str, str]) -> dict[str, str]:
    # Inside a git hook GIT_DIR and its like point at another repository: only what git needs goes through.
    return {name: surroundings[name] for name in _KEPT if name in surroundings} | _SET


def _write_archive(root: Path, commit: str, file: IO[bytes]) -> None:
    # Compressed here, as git's own tar.gz runs a program that the repository's configuration may name.
    with (
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0, compresslevel=6) as packed,
        subprocess.Popen(
            _argv("archive", "--format=tar", commit),
            cwd=root,
            env=_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        assert process.stderr is not None  # noqa: S101 - likewise
        try:
            shutil.copyfileobj(process.stdout, packed, 1 << 20)
        except BaseException:
            process.kill()
            raise
        stderr = process.stderr.read()
    if process.returncode:
        raise RepositoryError(f"git archive of {commit} failed in {root}: {_reason(stderr)}")


def _cannot_open(path: Path, stderr: str) -> RepositoryError:
    if "not a git repository" in stderr:
        return RepositoryError(
            f"{path} is not in a git repository",
            hint="start one: git init && git add -A && git commit -m 'First version'",
        )
    if "dubious ownership" in stderr:
        return RepositoryError(
            f"git refuses {path}, which belongs to another user",
            hint=f"if you trust it: git config --global --add safe.directory {path}",
        )
    return RepositoryError(f"git cannot read {path}: {_reason(stderr.encode())}")


def _reason(stderr: bytes) -> str:
    lines = _text(stderr).strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else "it gave no reason"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
