"""Review apps that the platform makes from app.json."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from herodeploy.domain.change import AppSetup, Change, ReviewApp
from herodeploy.domain.pipeline import App
from herodeploy.errors import Conflict, PlatformError, Refused, UsageError
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import until, wait_for
from herodeploy.flows.watch import follow, upload

LEG = "review"
GONE_WITHIN = timedelta(minutes=5)
AT_WORK = ("pending", "creating")


def existing(services: Services, branch: str) -> App | None:
    """Return the app of the branch's review app, waited for where it is being made; an errored one is cleared away."""
    found = _of_branch(services, branch)
    if found is not None and found.status in AT_WORK:
        found = _watch(services, found.id)
    if found is None:
        return None
    if found.status == "created" and found.app_id is not None:
        return services.heroku.apps.get(found.app_id)
    destroy(services, branch)
    return None


def create(services: Services, change: Change, branch: str) -> App:
    """Make the review app of a branch at exactly this commit.

    Raises:
        Refused: the platform could not make it.
        UsageError: the pipeline has no review apps.
    """
    pipeline_id = services.pipeline().id
    if services.heroku.review_apps.config(pipeline_id) is None:
        raise UsageError(
            f"review apps are not enabled for {services.spec.name}",
            hint="enable them: heroku reviewapps:enable, or set review.strategy to managed in herodeploy.yml",
        )
    url = upload(services, change.commit)
    try:
        made = services.heroku.review_apps.create(pipeline_id, branch, url, change.commit)
    except Conflict:
        again = existing(services, branch)
        if again is None:
            raise
        return again
    ended = _watch(services, made.id)
    if ended is None or ended.status != "created" or ended.app_id is None:
        why = (ended.message if ended else None) or "the platform gave no reason"
        raise Refused(f"the review app of {branch} could not be made: {why}")
    return services.heroku.apps.get(ended.app_id)


def destroy(services: Services, branch: str) -> None:
    """Destroy the branch's review app and wait until it is gone.

    Raises:
        PlatformError: the platform takes longer than anybody waits.
    """
    found = _of_branch(services, branch)
    if found is None:
        return
    if found.status != "deleting":
        services.heroku.review_apps.delete(found.id)
    if wait_for(services, lambda: _is_gone(services, found.id) or None, within=GONE_WITHIN) is None:
        minutes = GONE_WITHIN.total_seconds() / 60
        raise PlatformError(
            f"the review app of {branch} is still being destroyed after {minutes:.0f} minutes",
            hint="see: herodeploy review list",
        )


def _of_branch(services: Services, branch: str) -> ReviewApp | None:
    listed = services.heroku.review_apps.list(services.pipeline().id)
    return next((each for each in listed if each.branch == branch and each.status != "deleted"), None)


def _is_gone(services: Services, review_app_id: str) -> bool:
    found = services.heroku.review_apps.get(review_app_id)
    return found is None or found.status == "deleted"


def _watch(services: Services, review_app_id: str) -> ReviewApp | None:
    """Stream what its app setup builds; return the review app when it is no longer being made."""
    begun = _until(services, review_app_id, lambda found: found.app_setup_id is not None)
    if begun is not None and begun.app_setup_id is not None:
        watch_setup(services, begun.app_setup_id)
    return _until(services, review_app_id, lambda _: False)


def watch_setup(services: Services, app_setup_id: str) -> AppSetup:
    """Stream an app setup's build and return the setup settled."""

    def speaking() -> AppSetup | None:
        setup = services.heroku.app_setups.get(app_setup_id)
        return setup if setup.build_output_stream_url is not None or setup.status != "pending" else None

    def settled() -> AppSetup | None:
        setup = services.heroku.app_setups.get(app_setup_id)
        return setup if setup.status != "pending" else None

    setup = until(services, speaking)
    follow(services, setup.build_output_stream_url, leg=LEG, app=setup.app_name)
    setup = until(services, settled)
    for line in (setup.postdeploy_output or "").splitlines():
        services.sink(leg=LEG, app=setup.app_name)(line)
    return setup


def setup_failure(setup: AppSetup) -> str:
    """Say why an app setup failed."""
    told = [setup.failure_message or "the platform gave no reason", *setup.manifest_errors]
    return "; ".join(told)


def _until(services: Services, review_app_id: str, enough: Callable[[ReviewApp], bool]) -> ReviewApp | None:
    """Return the review app once it is `enough` or no longer being made; None where it is gone."""

    def look() -> tuple[ReviewApp | None] | None:
        found = services.heroku.review_apps.get(review_app_id)
        done = found is None or found.status not in AT_WORK or enough(found)
        return (found,) if done else None

    return until(services, look)[0]
