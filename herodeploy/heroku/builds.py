"""Builds, over heroku3 for reading.

A build is posted by ourselves: heroku3 knows no ``version_description`` and always sends a list of buildpacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from herodeploy.domain.release import Build, BuildStatus
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.library import Library
    from herodeploy.heroku.session import Session


class Builds:
    """An app's builds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self, app: str, source_url: str, version: str, description: str | None = None, checksum: str | None = None
    ) -> Build:
        """Begin to build and release what lies at `source_url`.

        Parameters:
            version: the full commit; it names the release and is never looked at by the build.
            description: shown beside the version, such as the commit's first line.
            checksum: ``SHA256:<hex>`` of the source, checked by the platform.
        """
        blob = {"url": source_url, "version": version, "version_description": description, "checksum": checksum}
        item = self._session.post(
            f"/apps/{part(app)}/builds",
            {"source_blob": {name: value for name, value in blob.items() if value is not None}},
        )
        return self._from_json(item)

    def list(self, app: str, limit: int | None = 20) -> list[Build]:
        """Return the newest builds, the newest first."""
        found = self._session.library.read("builds", lambda heroku3: _list(heroku3, app, limit))
        return sorted(found, key=lambda build: build.created_at, reverse=True)

    def get(self, app: str, build: str) -> Build:
        """Return a build by its id."""
        path = f"apps/{part(app)}/builds/{part(build)}"
        return self._session.library.read("build", lambda heroku3: _one(heroku3, path))

    def cancel(self, app: str, build: str) -> bool:
        """Cancel a build; False where it is not known any more."""
        return self._session.delete(f"/apps/{part(app)}/builds/{part(build)}", variant="cancel-build")

    def _from_json(self, item: Any) -> Build:
        from herodeploy.heroku.library import Build as Model

        return self._session.library.read("build", lambda heroku3: _build(Model.new_from_dict(item, h=heroku3)))


def _one(heroku3: Library, path: str) -> Build:
    from herodeploy.heroku.library import Build as Model

    return _build(heroku3.one(path, Model))


def _list(heroku3: Library, app: str, limit: int | None) -> list[Build]:
    from herodeploy.heroku.library import Build as Model

    items = heroku3.many(f"apps/{part(app)}/builds", Model, order_by="created_at", sort="desc", limit=limit)
    return [_build(item) for item in items]


def _build(item: Any) -> Build:
    return Build(
        id=str(item.id),
        app_id=str(item.app.id),
        status=cast(BuildStatus, str(item.status)),
        output_stream_url=item.output_stream_url,
        version=(item.source_blob.version if item.source_blob else None) or None,
        slug_id=str(item.slug.id) if item.slug else None,
        release_id=str(item.release.id) if item.release else None,
        created_at=shape.aware(item.created_at),
    )
