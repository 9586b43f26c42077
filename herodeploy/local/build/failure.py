"""The one way a build says no."""

from __future__ import annotations


class BuildFailed(Exception):
    """A build that ended without a slug; the message is one sentence for people, the details are in its output."""
