"""Config vars of apps, over heroku3; values are secrets from here on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from herodeploy.domain.secret import Secret
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class ConfigVars:
    """Config vars of apps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, app: str) -> dict[str, Secret]:
        """Return an app's config vars."""
        return self._session.library.read(
            "config vars", lambda heroku3: _secrets(heroku3.handle(part(app)).config().to_dict())
        )

    def names(self, app: str) -> list[str]:
        """Return the names of an app's config vars; the values, which the platform sends along, are dropped at once."""
        return list(self.get(app))

    def update(self, app: str, changes: Mapping[str, str | Secret | None]) -> dict[str, Secret]:
        """Set config vars, drop those given as None, and return all; makes one release."""
        values = {name: value.reveal() if isinstance(value, Secret) else value for name, value in changes.items()}
        return self._session.library.read(
            "config vars", lambda heroku3: _secrets(heroku3.handle(part(app)).update_config(values).to_dict())
        )


def _secrets(values: Mapping[str, str]) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in sorted(values.items())}
