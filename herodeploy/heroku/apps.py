"""Apps, over heroku3."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from herodeploy.domain.pipeline import App
from herodeploy.errors import NotFound, UsageError
from herodeploy.heroku import shape
from herodeploy.heroku.session import PAGE, part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")


class Apps:
    """Heroku apps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, app: str) -> App:
        """Return an app by name or id."""
        return self._session.library.read("app", lambda heroku3: _app(heroku3.app(part(app))))

    def find(self, app: str) -> App | None:
        """Return an app by name or id; None where there is none."""
        try:
            return self.get(app)
        except NotFound:
            return None

    def create(self, name: str | None = None, stack: str | None = None) -> App:
        """Create an app; Heroku chooses name and stack where none is given."""
        if name is not None and not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be an app's name",
                hint="3 to 30 lower-case letters, digits and dashes, a letter first and no dash last",
            )
        return self._session.library.read(
            "app", lambda heroku3: _app(heroku3.create_app(name=name, stack_id_or_name=stack))
        )

    def delete(self, app: str) -> bool:
        """Destroy an app; False where it was gone already."""
        return self._session.delete(f"/apps/{part(app)}")

    def filter(self, ids: Sequence[str]) -> list[App]:
        """Return those of these apps that the account can see, in one call for a thousand."""
        found: list[App] = []
        for start in range(0, len(ids), PAGE):
            items = self._session.json(
                "POST",
                "/filters/apps",
                body={"in": {"id": list(ids[start : start + PAGE])}},
                headers={"Range": f"id ..; max={PAGE};"},
                variant="filters",
                repeatable=True,
            )
            found += shape.many("apps", _filtered, items)
        return found

    def list(self) -> list[App]:
        """Return every app that the account can see, by name."""
        found = self._session.library.read("apps", lambda heroku3: [_app(each) for each in heroku3.apps()])
        return sorted(found, key=lambda app: app.name)


def _app(item: Any) -> App:
    return App(
        id=str(item.id),
        name=str(item.name),
        web_url=item.web_url,
        stack=str(item.stack.name) if item.stack else "",
        maintenance=bool(item.maintenance),
        created_at=shape.aware(item.created_at),
    )


def _filtered(item: dict[str, Any]) -> App:
    return App(
        id=item["id"],
        name=item["name"],
        web_url=item.get("web_url"),
        stack=(item.get("stack") or {}).get("name", ""),
        maintenance=bool(item.get("maintenance")),
        created_at=shape.when(item["created_at"]),
    )
