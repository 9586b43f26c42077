"""Files: written whole or not at all; and the one trouble with disks that has its own sentence, no room."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path


def is_full(problem: BaseException) -> bool:
    """Tell whether an error means that the disk is full, or the user's share of it."""
    if isinstance(problem, OSError):
        return problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(problem, sqlite3.OperationalError) and "full" in str(problem)


def write_private(file: Path, content: bytes) -> None:
    """Write a file that its owner alone may read; whenever the platform is killed, it is the old one or the new one.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
    fresh.replace(file)
