"""An app's logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from herodeploy.heroku import shape, streams
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Logs:
    """Log sessions; their addresses carry their own permission and live only a few minutes."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lines(self, app: str, lines: int = 100, *, source: str | None = None, dyno: str | None = None) -> list[str]:
        """Return the newest lines, the oldest of them first."""
        found: list[str] = []
        streams.read_to_end(self._session, self._url(app, lines, False, source, dyno), found.append)
        return found

    def follow(
        self, app: str, sink: streams.Sink, *, lines: int = 100, source: str | None = None, dyno: str | None = None
    ) -> None:
        """Hand over the newest lines and each further one, until the platform ends the session."""
        streams.read_to_end(self._session, self._url(app, lines, True, source, dyno), sink)

    def _url(self, app: str, lines: int, tail: bool, source: str | None, dyno: str | None) -> str:
        body: dict[str, object] = {"lines": lines, "tail": tail}
        if source:
            body["source"] = source
        if dyno:
            body["dyno"] = dyno
        item = self._session.post(f"/apps/{part(app)}/log-sessions", body, repeatable=True)
        return shape.one("log session", lambda it: str(it["logplex_url"]), item)
