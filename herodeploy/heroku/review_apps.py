"""Review apps that the platform makes, and their configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from herodeploy.domain.change import ReviewApp
from herodeploy.heroku import shape
from herodeploy.heroku.session import part

if TYPE_CHECKING:
    from herodeploy.heroku.session import Session

_VARIANT = "review-apps"


class ReviewApps:
    """A pipeline's review apps."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def config(self, pipeline: str) -> dict[str, Any] | None:
        """Return how review apps are made; None where they are not enabled."""
        item = self._session.find(_config(pipeline), variant=_VARIANT)
        return None if item is None else shape.one("review app configuration", dict, item)

    def enable(self, pipeline: str, *, repo: str, **options: object) -> dict[str, Any]:
        """Enable review apps.

        Parameters:
            repo: ``owner/name`` of the connected repository.
            options: Heroku's, such as ``automatic_review_apps``, ``destroy_stale_apps``, ``stale_days``.
        """
        item = self._session.post(_config(pipeline), {"repo": repo, **options}, variant=_VARIANT)
        return shape.one("review app configuration", dict, item)

    def create(
        self,
        pipeline: str,
        branch: str,
        source_url: str,
        version: str,
        environment: Mapping[str, str] | None = None,
        pr_number: int | None = None,
    ) -> ReviewApp:
        """Begin to make a review app of what lies at `source_url`; Conflict where the branch has one."""
        body: dict[str, object] = {
            "branch": branch,
            "pipeline": pipeline,
            "source_blob": {"url": source_url, "version": version},
        }
        if environment:
            body["environment"] = dict(environment)
        if pr_number is not None:
            body["pr_number"] = pr_number
        return shape.one("review app", _review_app, self._session.post("/review-apps", body, variant=_VARIANT))

    def get(self, review_app: str) -> ReviewApp | None:
        """Return a review app by its own id; None where it is gone."""
        return self._found(f"/review-apps/{part(review_app)}")

    def of_app(self, app: str) -> ReviewApp | None:
        """Return the review app that an app is; None where it is none."""
        return self._found(f"/apps/{part(app)}/review-app")

    def list(self, pipeline: str) -> list[ReviewApp]:
        """Return the pipeline's review apps, the newest first."""
        items = self._session.list(f"/pipelines/{part(pipeline)}/review-apps", variant=_VARIANT)
        found = shape.many("review apps", _review_app, items)
        return sorted(found, key=lambda review_app: review_app.created_at, reverse=True)

    def delete(self, review_app: str) -> bool:
        """Begin to destroy a review app; False where it was gone already."""
        return self._session.delete(f"/review-apps/{part(review_app)}", variant=_VARIANT)

    def _found(self, path: str) -> ReviewApp | None:
        item = self._session.find(path, variant=_VARIANT)
        return None if item is None else shape.one("review app", _review_app, item)


def _config(pipeline: str) -> str:
    return f"/pipelines/{part(pipeline)}/review-app-config"


def _review_app(item: dict[str, Any]) -> ReviewApp:
    return ReviewApp(
        id=item["id"],
        pipeline_id=item["pipeline"]["id"],
        branch=item["branch"],
        status=item["status"],
        app_id=shape.nested_id(item, "app"),
        app_setup_id=shape.nested_id(item, "app_setup"),
        message=item.get("message") or item.get("error_status"),
        pr_number=item.get("pr_number"),
        created_at=shape.when(item["created_at"]),
    )
