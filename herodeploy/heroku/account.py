"""The account that the token belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.heroku import shape

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Account:
    """The account that the token belongs to."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def whoami(self) -> str:
        """Return its e-mail address."""
        return shape.one("account", lambda item: str(item["email"]), self._session.get("/account"))
