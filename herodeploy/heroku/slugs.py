"""Slugs, over heroku3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.domain.release import Slug
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.library import Library
    from herodeploy.heroku.session import Session


class Slugs:
    """What builds leave."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, app: str, slug: str) -> Slug:
        """Return a slug by its id."""
        path = f"apps/{part(app)}/slugs/{part(slug)}"
        return self._session.library.read("slug", lambda heroku3: _slug(heroku3, path))


def _slug(heroku3: Library, path: str) -> Slug:
    from herodeploy.heroku.library import Slug as Model

    item = heroku3.one(path, Model)
    return Slug(
        id=str(item.id),
        commit=item.commit or None,
        process_types=dict(item.process_types or {}),
        stack=item.stack.name if item.stack else None,
    )
