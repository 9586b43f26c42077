"""Promotions: one app's artifact, released by others downstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from herodeploy.domain.release import Promotion, PromotionTarget
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session


class Promotions:
    """Promotions within a pipeline."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self, pipeline: str, source_app_id: str, source_release_id: str | None, target_app_ids: Sequence[str]
    ) -> Promotion:
        """Promote exactly that release; None means whichever is current when Heroku looks."""
        source: dict[str, object] = {"app": {"id": source_app_id}}
        if source_release_id is not None:
            source["release"] = {"id": source_release_id}
        body = {
            "pipeline": {"id": pipeline},
            "source": source,
            "targets": [{"app": {"id": app}} for app in target_app_ids],
        }
        return shape.one("promotion", _promotion, self._session.post("/pipeline-promotions", body))

    def get(self, promotion: str) -> Promotion:
        """Return a promotion; ``completed`` does not say that its targets succeeded."""
        return shape.one("promotion", _promotion, self._session.get(f"/pipeline-promotions/{part(promotion)}"))

    def targets(self, promotion: str) -> list[PromotionTarget]:
        """Return what became of the promotion in each app."""
        items = self._session.list(f"/pipeline-promotions/{part(promotion)}/promotion-targets")
        return shape.many("promotion targets", _target, items)


def _promotion(item: dict[str, Any]) -> Promotion:
    source = item["source"]
    return Promotion(
        id=item["id"],
        pipeline_id=item["pipeline"]["id"],
        source_app_id=source["app"]["id"],
        source_release_id=shape.nested_id(source, "release"),
        status=item["status"],
    )


def _target(item: dict[str, Any]) -> PromotionTarget:
    return PromotionTarget(
        id=item["id"],
        app_id=item["app"]["id"],
        release_id=shape.nested_id(item, "release"),
        status=item["status"],
        error_message=item.get("error_message"),
    )
