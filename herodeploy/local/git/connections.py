"""The repository of a pipeline, where Heroku has one on GitHub: what was pushed to the pipeline's apps."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.git import comparison, pushes, repositories

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

OWNER = "local"
ORDER = ("development", "staging", "production", "review", "test")
"""Whose repository is asked first, by stage."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that was found, and where."""

    name: str
    commit: str
    repository: Path


def full_name(pipeline: records.Pipeline) -> str:
    """Return what the Heroku CLI calls the repository, ``owner/name``."""
    return f"{OWNER}/{pipeline.name}"


def number(name: str) -> int:
    """Return the id of a repository, always the same for a name."""
    return zlib.crc32(name.encode())


async def find_branch(platform: Platform, pipeline: records.Pipeline, name: str) -> Branch | None:
    """Return a branch out of the repositories of a pipeline's apps; None where it was pushed to none of them."""
    for repository in _repositories(platform, pipeline):
        commit = await repositories.commit_of(repository, name)
        if commit is not None:
            return Branch(name, commit, repository)
    return None


async def compare(platform: Platform, pipeline: records.Pipeline, base: str, head: str) -> comparison.Comparison | None:
    """Compare two commits, given by their whole hashes; None where they were not both pushed to a pipeline's apps.

    Raises:
        OSError: no process could be started.
    """
    where = _repositories(platform, pipeline)
    try:
        return await comparison.compare(where, base, head) if where else None
    except repositories.GitFailed:
        return None


async def keep(platform: Platform, branch: Branch) -> str:
    """Make a branch's files a source; return the address that builds take it from.

    Raises:
        GitFailed: git could not read them.
        OSError: the disk is full.
    """
    return await pushes.keep_source(platform, branch.repository, branch.commit)


def _repositories(platform: Platform, pipeline: records.Pipeline) -> list[Path]:
    couplings = platform.state.couplings.where(pipeline_id=pipeline.id)
    couplings.sort(key=lambda coupling: ORDER.index(coupling.stage))
    paths = [platform.repositories.path(coupling.app_id) for coupling in couplings]
    return [path for path in paths if path.is_dir()]
