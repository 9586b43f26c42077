"""heroku3, made to fit: our session, our address, no calls while it is built, no prints, no errors of its own.

Its resources are declared by lists of field names, so the fields it does not know yet are added in the same way.
Import this module lazily, through `Session.library`: heroku3 is slow to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import requests
from heroku3 import api, exceptions
from heroku3.models import app as _app
from heroku3.models import build as _build
from heroku3.models import dyno as _dyno
from heroku3.models import release as _release
from heroku3.models import slug as _slug

from herodeploy.errors import HerodeployError, PlatformError, RateLimited, UsageError
from herodeploy.heroku import shape

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

T = TypeVar("T")

Dyno: Any = _dyno.Dyno

ERRORS: tuple[tuple[type[Exception], Callable[[Exception], HerodeployError]], ...] = (
    (exceptions.InvalidNameException, lambda error: UsageError(str(error))),
    (api.MaxRangeExceeded, lambda error: UsageError(str(error))),
    (_dyno.RestartRunException, lambda error: UsageError(str(error))),
    (api.RateLimitExceeded, lambda _: RateLimited("Your account reached the API rate limit", status=429)),
    (api.ResponseError, lambda _: PlatformError("the platform's reply is not JSON")),
)
"""What heroku3 may raise by itself. None of it should come through, as our session answers first."""


class App(_app.App):  # type: ignore[misc]
    """With the stack that its next build is for."""

    _map: ClassVar = {**_app.App._map, "build_stack": _app.App._map["stack"]}


class Release(_release.Release):  # type: ignore[misc]
    """With what newer APIs tell."""

    _strs: ClassVar = [*_release.Release._strs, "output_stream_url"]
    _bools: ClassVar = [*_release.Release._bools, "eligible_for_rollback"]
    _map: ClassVar = {**_release.Release._map, "app": App}


class Build(_build.Build):  # type: ignore[misc]
    """With the app it is for and the release it led to."""

    _map: ClassVar = {**_build.Build._map, "app": App, "release": Release}


class Slug(_slug.Slug):  # type: ignore[misc]
    """With the Procfile's commands."""

    _dicts: ClassVar = ["process_types"]


class Library(api.Heroku):  # type: ignore[misc]
    """heroku3's client, whose every request goes through `Session.send`."""

    def __init__(self, session: Session) -> None:
        headers = dict(session.http.headers)
        super().__init__(session=session.http)
        session.http.headers.update(headers)
        self._heroku_url = session.base_url
        self._ours = session

    def __repr__(self) -> str:
        return f"Library({self._heroku_url!r})"

    def handle(self, app: str) -> Any:
        """Return heroku3's object of an app, by name or id, without asking the platform for it."""
        return App.new_from_dict({"id": app, "name": app}, h=self)

    def read(self, what: str, story: Callable[[Any], T]) -> T:
        """Run `story` with this client and let none of heroku3's own errors through; `what` names the resource."""
        try:
            with shape.reading(what):
                return story(self)
        except tuple(foreign for foreign, _ in ERRORS) as error:
            raise next(ours(error) for foreign, ours in ERRORS if isinstance(error, foreign)) from None

    def one(self, resource: str, model: Any) -> Any:
        """Return one resource."""
        return self._get_resource(resource, model)

    def many(self, resource: str, model: Any, **options: Any) -> list[Any]:
        """Return a list of resources; options are ``order_by``, ``sort`` and ``limit``."""
        return list(self._get_resources(resource, model, **options))

    # The three seams through which everything in heroku3 goes; what is passed beside these arguments we never use.
    def _http_resource(self, method: str, resource: Any, data: str | None = None, **_: Any) -> requests.Response:
        return self._ours.send(method, _path(resource), data=data)

    def _get_data(
        self, resource: Any, order_by: str | None = None, limit: int | None = None, sort: str | None = None, **_: Any
    ) -> list[Any]:
        return self._ours.list(_path(resource), order_by or "id", limit=limit, descending=sort == "desc")

    def _process_items(self, d_items: Any, obj: Any, **_: Any) -> list[Any]:
        return [self._process_item(item, obj) for item in d_items]


def _path(resource: Any) -> str:
    return "/" + (resource if isinstance(resource, str) else "/".join(map(str, resource)))
