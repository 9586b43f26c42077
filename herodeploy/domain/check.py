"""What a forge's checks say about a commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckState = Literal["succeeded", "failed", "errored", "pending"]


@dataclass(frozen=True, slots=True)
class Check:
    """A check run or commit status.

    Parameters:
        state: failed is a no to the commit; errored gave no answer (cancelled, timed out) and may be run again.
        said: GitHub's own word.
        url: its page on GitHub, where it has one.
    """

    name: str
    state: CheckState
    said: str
    url: str | None = None
