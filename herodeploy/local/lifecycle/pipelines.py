"""Pipelines end."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import testruns

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


async def destroy_pipeline(platform: Platform, pipeline: records.Pipeline) -> None:
    """Destroy a pipeline with its test runs and promotions; its apps stay, review apps as apps of their own."""
    state = platform.state
    for run in state.test_runs.where(pipeline_id=pipeline.id):
        await testruns.forget(platform, run)
    with state.changes():
        for coupling in state.couplings.where(pipeline_id=pipeline.id):
            state.couplings.delete(coupling.id)
        for review in state.review_apps.where(pipeline_id=pipeline.id):
            if review.status not in ("deleting", "pending", "creating"):
                state.review_apps.delete(review.id)
        for promotion in state.promotions.where(pipeline_id=pipeline.id):
            if promotion.status == "completed":
                _forget(platform, promotion)
        state.pipelines.delete(pipeline.id)
    await asyncio.to_thread(shutil.rmtree, testruns.cache(platform, pipeline), ignore_errors=True)


def _forget(platform: Platform, promotion: records.Promotion) -> None:
    for target in platform.state.promotion_targets.where(promotion_id=promotion.id):
        platform.state.promotion_targets.delete(target.id)
    platform.state.promotions.delete(promotion.id)
