"""Apps, over heroku3 for reading; what it makes of a new one's reply lacks the stack that builds are for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from herodeploy.domain.pipeline import App
from herodeploy.errors import NotFound, UsageError
from herodeploy.heroku import shape
from herodeploy.heroku.session import PAGE, part

if TYPE_CHECKING:
    from herodeploy.heroku.library import Library
    from herodeploy.heroku.session import Session

_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")


class Apps:
    """Heroku apps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, app: str) -> App:
        """Return an app by name or id."""
        path = f"apps/{part(app)}"
        return self._session.library.read("app", lambda heroku3: _one(heroku3, path))

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
        wanted = {key: value for key, value in (("name", name), ("stack", stack)) if value is not None}
        return shape.one("app", _from_json, self._session.post("/apps", wanted))

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
            found += shape.many("apps", _from_json, items)
        return found

    def list(self) -> list[App]:
        """Return every app that the account can see, by name."""
        found = self._session.library.read("apps", _all)
        return sorted(found, key=lambda app: app.name)


def _one(heroku3: Library, path: str) -> App:
    from herodeploy.heroku.library import App as Model

    return _app(heroku3.one(path, Model))


def _all(heroku3: Library) -> list[App]:
    from herodeploy.heroku.library import App as Model

    return [_app(each) for each in heroku3.many("apps", Model)]


def _app(item: Any) -> App:
    return App(
        id=str(item.id),
        name=str(item.name),
        web_url=item.web_url,
        stack=str(item.stack.name) if item.stack else "",
        maintenance=bool(item.maintenance),
        created_at=shape.aware(item.created_at),
        build_stack=str(item.build_stack.name) if item.build_stack else None,
    )


def _from_json(item: dict[str, Any]) -> App:
    return App(
        id=item["id"],
        name=item["name"],
        web_url=item.get("web_url"),
        stack=(item.get("stack") or {}).get("name", ""),
        maintenance=bool(item.get("maintenance")),
        created_at=shape.when(item["created_at"]),
        build_stack=(item.get("build_stack") or {}).get("name"),
    )
