"""What time alone does: old releases expire, stale review apps, empty pipelines and forgotten uploads go."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import pipelines, review_apps, sources

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

log = logging.getLogger(__name__)

PAUSE = timedelta(minutes=5)
KEPT_FOR = timedelta(days=30)
KEPT_AT_LEAST = 20
"""Releases an app that never expire, the newest; others do after 30 days (Heroku's changelog, item 3395)."""


async def run(platform: Platform) -> None:
    """Tidy up every five minutes of the platform's time."""
    while True:
        await platform.clock.until(platform.clock.exactly() + PAUSE)
        try:
            await tidy(platform)
        except (OSError, sqlite3.Error):
            log.exception("housekeeping has to wait")


async def tidy(platform: Platform) -> None:
    """Do what is due now."""
    sources.recover(platform)
    await _expire(platform)
    for review in _stale(platform):
        await review_apps.delete_review_app(platform, review)
    for pipeline in platform.state.pipelines:
        if _is_forsaken(platform, pipeline):
            await pipelines.destroy_pipeline(platform, pipeline)
            platform.swept.add(pipeline.id)


async def _expire(platform: Platform) -> None:
    """Let old releases expire, and destroy the slugs that only they had."""
    state, due = platform.state, platform.now() - KEPT_FOR
    with state.changes():
        old = [row for app in state.apps for row in _old(platform, app) if row.created_at < due]
        for row in old:
            row.status = "expired"
            row.updated_at = platform.now()
            state.releases.put(row)
        needed = {row.slug_id for row in state.releases if row.status != "expired"}
        gone = {row.slug_id for row in old if row.slug_id} - needed
        for slug_id in gone:
            state.slugs.delete(str(slug_id))
    for slug_id in gone:
        await asyncio.to_thread((platform.settings.slugs / f"{slug_id}.tgz").unlink, missing_ok=True)


def _old(platform: Platform, app: records.App) -> list[records.Release]:
    rows = sorted(platform.state.releases.where(app_id=app.id), key=lambda row: row.version)
    return [row for row in rows[:-KEPT_AT_LEAST] if row.status == "succeeded" and not row.current]


def _stale(platform: Platform) -> list[records.ReviewApp]:
    """Return the review apps that got no release for as many days as their pipeline allows."""
    found = []
    for pipeline in platform.state.pipelines:
        config = pipeline.review_config or {}
        if not config.get("destroy_stale_apps"):
            continue
        due = platform.now() - timedelta(days=int(config.get("stale_days") or 5))
        for review in platform.state.review_apps.where(pipeline_id=pipeline.id, status="created"):
            releases = platform.state.releases.where(app_id=review.app_id)
            if all(row.created_at < due for row in releases):
                found.append(review)
    return found


def _is_forsaken(platform: Platform, pipeline: records.Pipeline) -> bool:
    """Tell whether a pipeline has had no app for long enough, and nothing goes on in it."""
    wait, state = platform.settings.empty_pipeline_ttl, platform.state
    if wait <= 0 or state.couplings.where(pipeline_id=pipeline.id) or state.review_apps.where(pipeline_id=pipeline.id):
        return False
    if any(platform.jobs.running(run.id) for run in state.test_runs.where(pipeline_id=pipeline.id)):
        return False
    since = max(pipeline.created_at, pipeline.emptied_at or pipeline.created_at)
    return since <= platform.now() - timedelta(seconds=wait)
