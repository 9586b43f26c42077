"""Formations, over heroku3 for reading.

Scaling is sent by ourselves: heroku3 sets quantities and sizes in two calls, and each restarts dynos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from herodeploy.domain.release import Formation as Line
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Formation:
    """How many dynos of which process types an app has."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def scale(self, app: str, wanted: Mapping[str, tuple[int, str | None]]) -> list[Line]:
        """Set quantities and sizes by process type and return those; a size of None leaves it as it is."""
        updates = [
            {"type": kind, "quantity": quantity} | ({"size": size} if size else {})
            for kind, (quantity, size) in wanted.items()
        ]
        items = self._session.patch(f"/apps/{part(app)}/formation", {"updates": updates})
        return shape.many("formation", _from_json, items)

    def list(self, app: str) -> list[Line]:
        """Return the process types, by name."""
        found = self._session.library.read(
            "formation", lambda heroku3: [_line(item) for item in heroku3.handle(part(app)).process_formation()]
        )
        return sorted(found, key=lambda line: line.type)


def _line(item: Any) -> Line:
    return Line(type=str(item.type), quantity=int(item.quantity), size=str(item.size), command=item.command or "")


def _from_json(item: dict[str, Any]) -> Line:
    return Line(type=item["type"], quantity=item["quantity"], size=item["size"], command=item.get("command") or "")
