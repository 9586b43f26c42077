"""Add-ons; heroku3 drops the service and the names of the config vars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from herodeploy.domain.pipeline import AddOn
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class AddOns:
    """What apps have beside their dynos."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, app: str) -> list[AddOn]:
        """Return an app's add-ons, by service and name."""
        found = shape.many("add-ons", _addon, self._session.list(f"/apps/{part(app)}/addons"))
        return sorted(found, key=lambda addon: (addon.service, addon.name))


def _addon(item: dict[str, Any]) -> AddOn:
    return AddOn(item["name"], item["addon_service"]["name"], tuple(sorted(item["config_vars"])))
