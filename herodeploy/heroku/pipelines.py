"""Pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from herodeploy.domain.pipeline import Pipeline, Stage
from herodeploy.domain.release import Release
from herodeploy.domain.secret import Secret
from herodeploy.errors import Forbidden
from herodeploy.heroku import releases, shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

_VARIANT = "pipelines"


class Pipelines:
    """Pipelines and the config vars of their review and test stages."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, name: str) -> list[Pipeline]:
        """Return the pipelines of that name: names are unique only within one owner."""
        items = self._session.get(f"/pipelines?eq[name]={quote(name, safe='')}", variant=_VARIANT)
        found = shape.many("pipelines", _pipeline, items)
        return [pipeline for pipeline in found if pipeline.name == name]

    def get(self, pipeline: str) -> Pipeline:
        """Return a pipeline by its id."""
        return shape.one("pipeline", _pipeline, self._session.get(f"/pipelines/{part(pipeline)}", variant=_VARIANT))

    def create(self, name: str) -> Pipeline:
        """Create a pipeline that belongs to the account."""
        owner = shape.one("account", lambda item: str(item["id"]), self._session.get("/account"))
        body = {"name": name, "owner": {"id": owner, "type": "user"}}
        return shape.one("pipeline", _pipeline, self._session.post("/pipelines", body, variant=_VARIANT))

    def delete(self, pipeline: str) -> bool:
        """Delete a pipeline, not its apps; False where it was gone already."""
        try:
            return self._session.delete(f"/pipelines/{part(pipeline)}", variant=_VARIANT)
        except Forbidden:
            # Heroku sweeps empty pipelines away and then answers 403 for them, as it does for those of other people.
            if any(each.id == pipeline for each in self.list()):
                raise
            return False

    def latest_releases(self, pipeline: str) -> list[Release]:
        """Return the newest release of each app of the pipeline."""
        items = self._session.get(f"/pipelines/{part(pipeline)}/latest-releases")
        with shape.reading("releases"):
            return [releases.from_json(self._session, item) for item in items]

    def stage_config(self, pipeline: str, stage: Stage | str) -> dict[str, Secret]:
        """Return the config vars that review apps or test runs of the pipeline get."""
        return shape.one("config vars", _secrets, self._session.get(_stage(pipeline, stage), variant=_VARIANT))

    def update_stage_config(
        self, pipeline: str, stage: Stage | str, changes: Mapping[str, str | Secret | None]
    ) -> dict[str, Secret]:
        """Set these config vars, drop those given as None, and return all."""
        values = {name: value.reveal() if isinstance(value, Secret) else value for name, value in changes.items()}
        items = self._session.patch(_stage(pipeline, stage), values, variant=_VARIANT)
        return shape.one("config vars", _secrets, items)

    def list(self) -> list[Pipeline]:
        """Return every pipeline that the account can see, by name."""
        items = self._session.list("/pipelines", variant=_VARIANT)
        return sorted(shape.many("pipelines", _pipeline, items), key=lambda pipeline: pipeline.name)


def _stage(pipeline: str, stage: Stage | str) -> str:
    return f"/pipelines/{part(pipeline)}/stage/{part(str(stage))}/config-vars"


def _pipeline(item: dict[str, Any]) -> Pipeline:
    return Pipeline(id=item["id"], name=item["name"])


def _secrets(values: dict[str, str]) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in sorted(values.items())}
