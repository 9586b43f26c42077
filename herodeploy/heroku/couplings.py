"""Couplings: which app stands where in which pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from herodeploy.domain.pipeline import Coupling, Stage
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Couplings:
    """Places of apps in pipelines; an app has at most one."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, pipeline: str) -> list[Coupling]:
        """Return a pipeline's couplings, review apps' included."""
        items = self._session.list(f"/pipelines/{part(pipeline)}/pipeline-couplings")
        return shape.many("couplings", _coupling, items)

    def of_app(self, app: str) -> Coupling | None:
        """Return an app's coupling; None where it is in no pipeline or does not exist."""
        item = self._session.find(f"/apps/{part(app)}/pipeline-couplings")
        return None if item is None else shape.one("coupling", _coupling, item)

    def create(self, app: str, pipeline: str, stage: Stage | str) -> Coupling:
        """Put an app, by name or id, into a stage of a pipeline."""
        body = {"app": app, "pipeline": pipeline, "stage": str(stage)}
        return shape.one("coupling", _coupling, self._session.post("/pipeline-couplings", body))

    def update(self, coupling: str, stage: Stage | str) -> Coupling:
        """Move an app to another stage of its pipeline."""
        item = self._session.patch(f"/pipeline-couplings/{part(coupling)}", {"stage": str(stage)})
        return shape.one("coupling", _coupling, item)

    def delete(self, coupling: str) -> bool:
        """Take an app out of its pipeline; False where it was out already."""
        return self._session.delete(f"/pipeline-couplings/{part(coupling)}")


def _coupling(item: dict[str, Any]) -> Coupling:
    return Coupling(
        id=item["id"], app_id=item["app"]["id"], pipeline_id=item["pipeline"]["id"], stage=Stage(item["stage"])
    )
