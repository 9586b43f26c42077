"""Buildpack installations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from herodeploy.heroku import redact, shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Buildpacks:
    """Which buildpacks an app's builds use."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, app: str) -> list[str]:
        """Return their names, or their addresses without passwords, in order; none where builds find out themselves."""
        items = self._session.get(f"/apps/{part(app)}/buildpack-installations")
        return [shown for _, shown in sorted(shape.many("buildpacks", _placed, items))]


def _placed(item: dict[str, Any]) -> tuple[int, str]:
    buildpack = item["buildpack"]
    return int(item["ordinal"]), redact.strip(str(buildpack.get("name") or buildpack["url"]))
