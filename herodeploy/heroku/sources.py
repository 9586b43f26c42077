"""Sources: a place to put a tarball where the platform can fetch it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from herodeploy.heroku import shape

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Sources:
    """Uploaded source code."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upload(self, tarball: Path) -> str:
        """Upload a gzipped tarball and return the address that builds and test runs take; keep it to yourself."""
        # A source that nobody uses is forgotten by itself, so a second one does no harm.
        item = self._session.post("/sources", {}, repeatable=True)
        get_url, put_url = shape.one(
            "source", lambda it: (str(it["source_blob"]["get_url"]), str(it["source_blob"]["put_url"])), item
        )
        self._session.upload(put_url, tarball)
        return get_url
