"""Dynos, over heroku3; a restart of all is one call of ours where heroku3 makes one for each dyno."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from herodeploy.domain.release import Dyno, DynoState
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Dynos:
    """An app's running processes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, app: str) -> list[Dyno]:
        """Return the dynos, by name."""
        found = self._session.library.read(
            "dynos", lambda heroku3: [_dyno(item) for item in heroku3.handle(part(app)).dynos()]
        )
        return sorted(found, key=lambda dyno: dyno.name)

    def restart(self, app: str, name: str | None = None) -> None:
        """Restart one dyno, or all."""
        self._session.delete(f"/apps/{part(app)}/dynos" + (f"/{part(name)}" if name else ""))

    def run_detached(self, app: str, command: str) -> Dyno:
        """Start a one-off dyno and return it without waiting for its end."""
        return self._session.library.read(
            "dyno", lambda heroku3: _dyno(heroku3.handle(part(app)).run_command_detached(command))
        )


def _dyno(item: Any) -> Dyno:
    return Dyno(
        id=str(item.id),
        name=str(item.name),
        type=str(item.type),
        state=cast(DynoState, str(item.state)),
        release_version=int(item.release.version),
        command=item.command or "",
    )
