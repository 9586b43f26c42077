"""Apps join pipelines, and leave them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from herodeploy.local import records

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


def couple(platform: Platform, app: records.App, pipeline: records.Pipeline, stage: str) -> records.Coupling:
    """Put an app, which is in no pipeline, into a stage of one."""
    now = platform.now()
    return platform.state.couplings.put(
        records.Coupling(
            id=str(uuid.uuid4()),
            app_id=app.id,
            pipeline_id=pipeline.id,
            stage=stage,
            created_at=now,
            updated_at=now,
        )
    )


def uncouple(platform: Platform, coupling: records.Coupling) -> None:
    """Take an app out of its pipeline."""
    platform.state.couplings.delete(coupling.id)
    pipeline = platform.state.pipelines.get(coupling.pipeline_id)
    if pipeline is not None and not platform.state.couplings.where(pipeline_id=pipeline.id):
        pipeline.emptied_at = platform.now()
        platform.state.pipelines.put(pipeline)
