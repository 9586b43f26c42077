"""The one trouble with disks that has its own sentence: no room is left."""

from __future__ import annotations

import errno
import sqlite3


def is_full(problem: BaseException) -> bool:
    """Tell whether an error means that the disk is full, or the user's share of it."""
    if isinstance(problem, OSError):
        return problem.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(problem, sqlite3.OperationalError) and "full" in str(problem)
