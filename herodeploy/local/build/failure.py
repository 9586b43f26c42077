"""The one way a build says no."""

from __future__ import annotations

VERDICTS = ("Push failed", "Push rejected, ", "Compiled slug size: ", "See: http")
"""With these Heroku ends the output of a failed build; our reason stands above them."""


class BuildFailed(Exception):
    """A build that ended without a slug; the message is one sentence for people, the details are in its output.

    Parameters:
        verdict: lines with which Heroku ends the output of a build that failed so.
    """

    def __init__(self, message: str, *verdict: str) -> None:
        super().__init__(message)
        self.verdict = verdict
