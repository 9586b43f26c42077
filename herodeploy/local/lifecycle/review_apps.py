"""Review apps: the app of a branch, set up from its app.json, gone with everything when it is deleted."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import app_setups, apps, couplings, sources
from herodeploy.local.wire.errors import ApiError, conflict

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

STAGE = "review"
LONGEST = {"pipeline": 12, "branch": 10, "random": 6}
"""Parts of a review app's name, as Heroku cuts them: 30 characters with the dashes between."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a review app is made from.

    Parameters:
        version: the commit.
        environment: config vars that win over all others.
        pr_number: of the pull request, where there is one.
    """

    branch: str
    source_url: str
    version: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    pr_number: int | None = None
    fork_repo_id: int | None = None


async def create_review_app(platform: Platform, pipeline: records.Pipeline, order: Order) -> records.ReviewApp:
    """Begin a review app; wait with ``await platform.jobs.settled(review.id)``.

    Raises:
        ApiError: 409, the branch has one already; 422, the source's address cannot be one.
    """
    sources.check_url(order.source_url)
    if platform.state.review_apps.where(pipeline_id=pipeline.id, branch=order.branch):
        raise conflict(f"A review app already exists for the {order.branch} branch")
    now = platform.now()
    review = platform.state.review_apps.put(
        records.ReviewApp(
            id=str(uuid.uuid4()),
            pipeline_id=pipeline.id,
            branch=order.branch,
            created_at=now,
            updated_at=now,
            pr_number=order.pr_number,
            fork_repo_id=order.fork_repo_id,
        )
    )
    platform.jobs.start(review.id, _create(platform, pipeline, review, order))
    return review


async def delete_review_app(platform: Platform, review: records.ReviewApp) -> None:
    """Begin to delete a review app, also one that is still being made; its record goes last."""
    if review.status != "deleting":
        _move(platform, review, "deleting")
        platform.jobs.start(f"delete:{review.id}", _delete(platform, review))


def recover(platform: Platform) -> None:
    """Fail what the platform's death cut off."""
    for status in ("pending", "creating"):
        for review in platform.state.review_apps.where(status=status):
            review.app_id = None
            _error(platform, review, "The platform was stopped while the review app was made.")


async def resume(platform: Platform) -> None:
    """Carry on with what the platform's death cut off: apps that go."""
    for review in platform.state.review_apps.where(status="errored"):
        app = _app(platform, review)
        if app is not None:
            await apps.destroy_app(platform, app, wait=True)
    for review in platform.state.review_apps.where(status="deleting"):
        platform.jobs.start(f"delete:{review.id}", _delete(platform, review))


async def _create(platform: Platform, pipeline: records.Pipeline, review: records.ReviewApp, order: Order) -> None:
    review.app_name = _name(platform, pipeline, review)
    _move(platform, review, "creating")
    try:
        app = await apps.create_app(platform, name=review.app_name)
    except (ApiError, OSError) as problem:
        review.app_name = None
        _error(platform, review, f"The app could not be created: {problem}")
        return
    setup = _equip(platform, pipeline, review, app)
    manifest = await app_setups.run(platform, setup, app, _setup_order(pipeline, review, app, order))
    if manifest is None:
        review.app_id = None
        _error(platform, review, ": ".join([setup.failure_message or "", *_listed(setup.manifest_errors)]))
        await app_setups.discard(platform, setup)
        return
    review.predestroy = manifest.scripts.get("pr-predestroy")
    review.message = setup.warning
    _move(platform, review, "created")


def _equip(
    platform: Platform, pipeline: records.Pipeline, review: records.ReviewApp, app: records.App
) -> records.AppSetup:
    with platform.state.changes():
        if platform.state.pipelines.get(pipeline.id) is not None:
            couplings.couple(platform, app, pipeline, STAGE)
        setup = app_setups.record(platform, app)
        review.app_id, review.app_setup_id = app.id, setup.id
        _move(platform, review, "creating")
    return setup


def _setup_order(
    pipeline: records.Pipeline, review: records.ReviewApp, app: records.App, order: Order
) -> app_setups.Order:
    injected = {"HEROKU_APP_NAME": app.name, "HEROKU_BRANCH": review.branch}
    if review.pr_number is not None:
        injected["HEROKU_PR_NUMBER"] = str(review.pr_number)
    return app_setups.Order(
        source_url=order.source_url,
        version=order.version,
        environment=STAGE,
        given={**pipeline.stage_config.get(STAGE, {}), **order.environment, **injected},
        needs_manifest=False,
    )


async def _delete(platform: Platform, review: records.ReviewApp) -> None:
    await platform.jobs.cancel(review.id)
    setup = platform.state.app_setups.get(review.app_setup_id)
    if setup is not None and setup.status == "pending":
        app_setups.fail(platform, setup, "The review app was deleted while it was made.")
    app = _app(platform, review)
    if app is not None:
        await _say_goodbye(platform, review, app)
        await apps.destroy_app(platform, app, wait=True)
    platform.state.review_apps.delete(review.id)


def _app(platform: Platform, review: records.ReviewApp) -> records.App | None:
    return platform.state.apps.get(review.app_id) or platform.app_named(review.app_name or "")


async def _say_goodbye(platform: Platform, review: records.ReviewApp, app: records.App) -> None:
    """Run pr-predestroy; whatever it does, the app goes."""
    if review.predestroy is None:
        return
    status = await app_setups.run_script(platform, app, review.predestroy)
    if status != 0:
        platform.log(app, f"pr-predestroy ended with exit status {status}")


def _name(platform: Platform, pipeline: records.Pipeline, review: records.ReviewApp) -> str:
    """Return ``<pipeline>-<branch>-<random>``, or the predictable ``<base name>-pr-<number>`` where one is set."""
    base = (pipeline.review_config or {}).get("base_name")
    if base and review.pr_number is not None:
        return f"{base}-pr-{review.pr_number}"
    parts = [pipeline.name[: LONGEST["pipeline"]].strip("-"), _slug(review.branch)]
    while True:
        tail = "".join(secrets.choice(string.ascii_lowercase) for _ in range(LONGEST["random"]))
        name = "-".join([part for part in parts if part] + [tail])
        if platform.app_named(name) is None:
            return name


def _slug(branch: str) -> str:
    return re.sub("[^a-z0-9]+", "-", branch.lower()).strip("-")[: LONGEST["branch"]].strip("-")


def _listed(errors: list[str]) -> list[str]:
    return ["; ".join(errors)] if errors else []


def _error(platform: Platform, review: records.ReviewApp, reason: str) -> None:
    review.error_status = reason
    _move(platform, review, "errored")


def _move(platform: Platform, review: records.ReviewApp, status: str) -> None:
    """Record a status; one that is being deleted, or is gone, stays so."""
    if platform.state.review_apps.get(review.id) is None or (review.status == "deleting" and status != "deleting"):
        return
    review.status = status
    review.updated_at = platform.now()
    platform.state.review_apps.put(review)
