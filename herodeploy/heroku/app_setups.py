"""App setups: an app made from source and its app.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from herodeploy.domain.change import AppSetup
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class AppSetups:
    """App setups."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self, source_url: str, version: str, app_name: str | None = None, env: Mapping[str, str] | None = None
    ) -> AppSetup:
        """Begin to make an app of what lies at `source_url`; `env` wins over its app.json."""
        body: dict[str, object] = {"source_blob": {"url": source_url, "version": version}}
        if app_name:
            body["app"] = {"name": app_name}
        if env:
            body["overrides"] = {"env": dict(env)}
        return shape.one("app setup", _app_setup, self._session.post("/app-setups", body))

    def get(self, app_setup: str) -> AppSetup:
        """Return an app setup; it stays readable after a failure, when its app is gone."""
        return shape.one("app setup", _app_setup, self._session.get(f"/app-setups/{part(app_setup)}"))


def _app_setup(item: dict[str, Any]) -> AppSetup:
    build, postdeploy = item.get("build") or {}, item.get("postdeploy") or {}
    return AppSetup(
        id=item["id"],
        app_id=item["app"]["id"],
        app_name=item["app"]["name"],
        status=item["status"],
        failure_message=item.get("failure_message"),
        manifest_errors=tuple(item.get("manifest_errors") or ()),
        build_id=build.get("id"),
        build_output_stream_url=build.get("output_stream_url"),
        postdeploy_output=postdeploy.get("output"),
        postdeploy_exit_code=postdeploy.get("exit_code"),
    )
