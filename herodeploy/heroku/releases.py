"""Releases, over heroku3 for reading.

A rollback is posted by ourselves: heroku3's then fetches every release and takes the last, which may be another's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from herodeploy.domain.release import Release, ReleaseStatus
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.library import Library
    from herodeploy.heroku.session import Session

_RECENT = 25


class Releases:
    """An app's releases."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, app: str, limit: int | None = 50) -> list[Release]:
        """Return the newest releases, the newest first; all of them with None."""
        found = self._session.library.read("releases", lambda heroku3: _list(heroku3, app, limit))
        return sorted(found, key=lambda release: release.version, reverse=True)

    def get(self, app: str, release: str | int) -> Release:
        """Return a release by id or by version, such as 5 or ``v5``."""
        path = f"apps/{part(app)}/releases/{part(_identity(release))}"
        return self._session.library.read("release", lambda heroku3: _one(heroku3, path))

    def current(self, app: str) -> Release | None:
        """Return the release that serves; None where the app has none."""
        recent = self.list(app, limit=_RECENT)
        found = next((release for release in recent if release.current), None)
        if found is None and len(recent) == _RECENT:
            found = next((release for release in self.list(app, limit=None) if release.current), None)
        return found

    def rollback(self, app: str, release: str | int) -> Release:
        """Make a new release with the slug and config vars of an earlier one, and return the new one."""
        item = self._session.post(f"/apps/{part(app)}/releases", {"release": _identity(release)})
        return from_json(self._session, item)


def from_json(session: Session, item: Any) -> Release:
    """Return the release that the API's JSON tells of."""
    from herodeploy.heroku.library import Release as Model

    return session.library.read("release", lambda heroku3: _release(Model.new_from_dict(item, h=heroku3)))


def _one(heroku3: Library, path: str) -> Release:
    from herodeploy.heroku.library import Release as Model

    return _release(heroku3.one(path, Model))


def _list(heroku3: Library, app: str, limit: int | None) -> list[Release]:
    from herodeploy.heroku.library import Release as Model

    items = heroku3.many(f"apps/{part(app)}/releases", Model, order_by="version", sort="desc", limit=limit)
    return [_release(item) for item in items]


def _identity(release: str | int) -> str:
    # The API takes a bare number; people and logs say v5.
    text = str(release)
    return text[1:] if text[:1] == "v" and text[1:].isdigit() else text


def _release(item: Any) -> Release:
    return Release(
        id=str(item.id),
        app_id=str(item.app.id),
        app_name=str(item.app.name),
        version=int(item.version),
        status=cast(ReleaseStatus, str(item.status)),
        current=bool(item.current),
        slug_id=str(item.slug.id) if item.slug else None,
        description=item.description or "",
        eligible_for_rollback=bool(item.eligible_for_rollback),
        output_stream_url=item.output_stream_url,
        user=item.user.email if item.user else "",
        created_at=shape.aware(item.created_at),
    )
