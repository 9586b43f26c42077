"""Resources by the identity that stands in an address: id, name, or version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from herodeploy.local import records
from herodeploy.local.wire.errors import not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def app(platform: Platform, identity: str) -> records.App:
    """Return the app of that id or name.

    Raises:
        ApiError: 404, no such app.
    """
    found = platform.state.apps.get(identity) or platform.app_named(identity)
    if found is None:
        raise not_found("app")
    return found


def path_app(platform: Platform, request: Request) -> records.App:
    """Return the app that ``{app}`` in the request's path names; 404 otherwise."""
    return app(platform, request.path_params["app"])


def release(platform: Platform, owner: records.App, identity: str) -> records.Release:
    """Return an app's release by id, version, or ``v<version>``.

    Raises:
        ApiError: 404, no such release of this app.
    """
    found = platform.state.releases.get(identity)
    if found is not None and found.app_id == owner.id:
        return found
    number = identity.removeprefix("v")
    rows = platform.state.releases.where(app_id=owner.id, version=int(number)) if number.isdecimal() else []
    if not rows:
        raise not_found("release")
    return rows[0]


def slug(platform: Platform, identity: str) -> records.Slug:
    """Return a slug by id; any app may release it, as on Heroku.

    Raises:
        ApiError: 404, no such slug.
    """
    found = platform.state.slugs.get(identity)
    if found is None:
        raise not_found("slug")
    return found
