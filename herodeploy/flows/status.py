"""Where everything stands, and what happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from herodeploy.domain.delivery import Status
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import StageSpec
from herodeploy.domain.release import Release
from herodeploy.domain.snapshot import (
    AppView,
    DeliveryView,
    PipelineSnapshot,
    ReviewLine,
    StageView,
    plain,
)
from herodeploy.errors import NotFound
from herodeploy.flows import locks, mode, review
from herodeploy.flows.approval import find
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import all_verdicts_now

DELIVERIES = 10
RELEASES = 10


def snapshot(services: Services) -> PipelineSnapshot:
    """Look at the platform and the store."""
    pipeline = services.pipeline()
    return PipelineSnapshot(
        pipeline=pipeline.name,
        pipeline_id=pipeline.id,
        platform=services.heroku.base_url,
        mode=mode.show(services),
        stages=tuple(_stage(services, stage) for stage in services.spec.stages),
        deliveries=tuple(_deliveries(services)),
        review_apps=tuple(ReviewLine(each.branch, each.app, each.status) for each in review.list_(services)),
    )


def history(services: Services, *, delivery: str | None = None, limit: int = 50) -> list[Event]:
    """Return what happened, newest first.

    Parameters:
        delivery: only of this delivery, named as `approval.find` takes it.
    """
    delivery_id = find(services, delivery).id if delivery else None
    return services.store.events(services.pipeline().id, delivery_id, limit=limit)


def event_json(event: Event) -> dict[str, Any]:
    """Return plain JSON values."""
    value = plain({**asdict(event), "data": dict(event.data)})
    return dict(value)


def _stage(services: Services, stage: StageSpec) -> StageView:
    pipeline_id = services.pipeline().id
    return StageView(
        name=stage.name,
        kind=stage.kind.value,
        apps=tuple(_app(services, stage, app) for app in stage.apps),
        held_by=services.store.occupant(pipeline_id, stage.name),
        locks=tuple(locks.in_force(services, stage.name)),
        hold=services.store.locks.hold(pipeline_id, stage.name),
    )


def _app(services: Services, stage: StageSpec, name: str) -> AppView:
    app = services.heroku.apps.find(name)
    if app is None:
        return AppView(name, exists=False)
    releases = services.heroku.releases.list(name, limit=RELEASES)
    current = next((each for each in releases if each.current), None) or services.heroku.releases.current(name)
    newest = releases[0] if releases else None
    slug_id = current.slug_id if current else None
    return AppView(
        name=name,
        exists=True,
        url=services.address(app),
        version=current.version if current else None,
        description=current.description if current else None,
        released_at=current.created_at if current else None,
        slug_id=slug_id,
        commit=_commit(services, current),
        newest_version=newest.version if newest else None,
        newest_status=newest.status if newest else None,
        dynos=dict(Counter(dyno.state for dyno in services.heroku.dynos.list(name))),
        verified=slug_id is not None
        and services.store.is_verified(services.pipeline().id, stage.name, slug_id, (name,)),
    )


def _commit(services: Services, release: Release | None) -> str | None:
    if release is None or release.slug_id is None:
        return None
    try:
        return services.heroku.slugs.get(release.app_name, release.slug_id).commit
    except NotFound:
        return None


def _deliveries(services: Services) -> list[DeliveryView]:
    pipeline_id = services.pipeline().id
    shown = services.store.deliveries(pipeline_id, limit=DELIVERIES)
    ids = {each.id for each in shown}
    shown += [each for each in reversed(services.store.open_deliveries(pipeline_id)) if each.id not in ids]
    verdicts = all_verdicts_now(services, [each for each in shown if each.status is Status.WAITING])
    return [DeliveryView(each, tuple(verdicts.get(each.id, ()))) for each in shown]
