"""What lies between two commits that were pushed, be it to one repository or to several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from herodeploy.local.git import repositories

MOST = 250
"""Commits that are told, the newest; GitHub tells no more in one reply either."""
FIELDS = ("%H", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%B")
UTC = {"TZ": "UTC"}
DATE = "--date=format-local:%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who did something, and when (UTC, ISO 8601)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, with its whole message."""

    sha: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a commit relates to another.

    Parameters:
        merge_base: the newest commit that both have.
        ahead: number of commits that only the second has.
        behind: number of commits that only the first has.
        commits: that only the second has, oldest first, no more than `MOST`.
    """

    merge_base: str
    ahead: int
    behind: int
    commits: tuple[Commit, ...]


async def compare(where: Sequence[Path], base: str, head: str) -> Comparison:
    """Compare two commits, which may lie in different repositories.

    Parameters:
        where: the repositories, at least one.
        base: the whole hash of a commit.
        head: the whole hash of another.

    Raises:
        GitFailed: one of them is nowhere, or they have nothing in common.
        OSError: no process could be started.
    """
    first, *others = where
    # git reads C strings there, so that a path may have a colon in it.
    paths = [json.dumps(str(each / "objects"), ensure_ascii=False) for each in others]
    env = {**UTC, "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(paths)}
    log = ["log", "-z", "--topo-order", f"--max-count={MOST}", DATE, f"--format={'%x00'.join(FIELDS)}"]
    merge_base = await repositories.run("merge-base", base, head, cwd=first, env=env)
    counts = await repositories.run("rev-list", "--left-right", "--count", f"{base}...{head}", cwd=first, env=env)
    told = await repositories.run(*log, f"{base}..{head}", cwd=first, env=env)
    behind, ahead = map(int, counts.split())
    return Comparison(merge_base.strip(), ahead, behind, _commits(told))


def _commits(told: str) -> tuple[Commit, ...]:
    """Read what git says of commits, newest first, each field with a NUL behind it."""
    values, width = told.split("\0")[:-1], len(FIELDS)
    return tuple(_commit(values[start : start + width]) for start in range(0, len(values), width))[::-1]


def _commit(values: Sequence[str]) -> Commit:
    sha, parents, *people, message = values
    return Commit(sha, tuple(parents.split()), Signature(*people[:3]), Signature(*people[3:]), message.strip())
