"""Promotions: the slug of one app's release becomes a release of other apps, and nothing else moves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import releases
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

COMMAND_FAILED = "release command failed"
WHY_NOT = {"pending": "has not finished", "expired": "has expired"}
SLUG_GONE = "Could not verify slug checksum"
APP_GONE = "the app was destroyed"


async def promote(
    platform: Platform,
    pipeline: records.Pipeline,
    source: records.App,
    release: records.Release,
    targets: Sequence[records.App],
) -> records.Promotion:
    """Begin a promotion; each target settles with its release, and with the last one the promotion is completed.

    Raises:
        ApiError: 422, an app is not in the pipeline, or that release cannot be promoted.
    """
    _check(platform, pipeline, source, release, targets)
    promotion = records.Promotion(
        id=str(uuid.uuid4()),
        pipeline_id=pipeline.id,
        source_app_id=source.id,
        source_release_id=release.id,
        created_at=platform.now(),
    )
    rows = [records.PromotionTarget(str(uuid.uuid4()), promotion.id, app.id) for app in targets]
    with platform.state.changes():
        platform.state.promotions.put(promotion)
        for row in rows:
            platform.state.promotion_targets.put(row)
    description = _describe(platform, source, release)
    pairs = list(zip(targets, rows, strict=True))
    platform.jobs.start(promotion.id, _run(platform, promotion, release, pairs, description))
    return promotion


def recover(platform: Platform) -> None:
    """Complete what the platform's death cut off: a target is where its release is."""
    for promotion in platform.state.promotions.where(status="pending"):
        for target in platform.state.promotion_targets.where(promotion_id=promotion.id, status="pending"):
            row = platform.state.releases.get(target.release_id) or _made_for(platform, promotion, target)
            target.release_id = row.id if row else None
            _settle(platform, target, row is not None and row.status == "succeeded", "the platform was stopped")
        _finish(platform, promotion)


def _made_for(
    platform: Platform, promotion: records.Promotion, target: records.PromotionTarget
) -> records.Release | None:
    """Return the release that a promotion had just made when the platform died, before it was noted."""
    source = platform.state.apps.get(promotion.source_app_id)
    promoted = platform.state.releases.get(promotion.source_release_id)
    if source is None or promoted is None:
        return None
    made = platform.state.releases.where(
        app_id=target.app_id, slug_id=promoted.slug_id, description=_describe(platform, source, promoted)
    )
    return next((row for row in reversed(made) if row.created_at >= promotion.created_at), None)


def _check(
    platform: Platform,
    pipeline: records.Pipeline,
    source: records.App,
    release: records.Release,
    targets: Sequence[records.App],
) -> None:
    if not targets:
        raise invalid("A promotion needs at least one target.")
    for app in (source, *targets):
        if not platform.state.couplings.where(app_id=app.id, pipeline_id=pipeline.id):
            raise invalid(f"App {app.name} is not in pipeline {pipeline.name}.")
    if source in targets:
        raise invalid(f"Cannot promote {source.name} to itself.")
    if len({app.id for app in targets}) < len(targets):
        raise invalid("A promotion needs each target once.")
    if release.slug_id is None:
        raise invalid(f"App {source.name} has no release to promote: v{release.version} holds no code.")
    if release.status != "succeeded":
        raise invalid(
            f"Cannot promote v{release.version} of {source.name}: it {WHY_NOT.get(release.status, 'failed')}."
        )


async def _run(
    platform: Platform,
    promotion: records.Promotion,
    release: records.Release,
    pairs: Sequence[tuple[records.App, records.PromotionTarget]],
    description: str,
) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for app, target in pairs:
                group.create_task(_move(platform, app, target, release, description))
    finally:
        _finish(platform, promotion)


async def _move(
    platform: Platform, app: records.App, target: records.PromotionTarget, release: records.Release, description: str
) -> None:
    missing = _missing(platform, app, release)
    if missing is not None:
        _settle(platform, target, False, missing)
        return
    try:
        row = await releases.release(platform, app, slug_id=release.slug_id, config=app.config, description=description)
        target.release_id = row.id
        platform.state.promotion_targets.put(target)
        await platform.releases.settled(row.id)
        _settle(platform, target, row.status == "succeeded", COMMAND_FAILED)
    except OSError as problem:
        _settle(platform, target, False, f"the release could not be made: {problem.strerror or problem}")
    finally:
        if target.status == "pending":
            _settle(platform, target, False, "the promotion was cut off")


def _missing(platform: Platform, app: records.App, release: records.Release) -> str | None:
    if platform.state.apps.get(app.id) is None:
        return APP_GONE
    return None if (platform.settings.slugs / f"{release.slug_id}.tgz").exists() else SLUG_GONE


def _describe(platform: Platform, source: records.App, release: records.Release) -> str:
    slug = platform.state.slugs.get(release.slug_id)
    commit = (slug.commit if slug else None) or ""
    return f"Promote {source.name} v{release.version} {commit[:8]}".rstrip()


def _settle(platform: Platform, target: records.PromotionTarget, succeeded: bool, reason: str) -> None:
    target.status = "succeeded" if succeeded else "failed"
    target.error_message = None if succeeded else reason
    platform.state.promotion_targets.put(target)


def _finish(platform: Platform, promotion: records.Promotion) -> None:
    promotion.status = "completed"
    promotion.updated_at = platform.now()
    platform.state.promotions.put(promotion)
