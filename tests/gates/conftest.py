"""A pipeline of two stages, and facts about one delivery on its way into the second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from herodeploy.domain.gate import Facts
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import CiSpec, GateSpec, PipelineSpec, ReviewSpec, Stage, StageSpec

MakeFacts = Callable[..., Facts]


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def pipeline(*gates: GateSpec, last: Stage = Stage.PRODUCTION) -> PipelineSpec:
    staging = StageSpec("staging", Stage.STAGING, ("shop-staging",), (("shop-staging",),))
    name = "production" if last is Stage.PRODUCTION else "last"
    live = StageSpec(name, last, ("shop",), (("shop",),), gates=gates)
    return PipelineSpec("shop", "local", "delivery", CiSpec(), ReviewSpec(), (staging, live))


@pytest.fixture
def make_pipeline() -> Callable[..., PipelineSpec]:
    return pipeline


def facts_at(spec: PipelineSpec, stage: StageSpec, **changes: object) -> Facts:
    """What gates know of a tested and verified delivery before a stage."""
    known = Facts(
        pipeline=spec,
        stage=stage,
        mode=Mode.DELIVERY,
        delivery_id="20261123-120000-a1",
        commit="0123456789abcdef",
        author="ann@example.com",
        slug_id="s1",
        ci="succeeded",
        verified_in=frozenset({"staging"}),
    )
    return dataclasses.replace(known, **changes)  # type: ignore[arg-type]


@pytest.fixture
def facts() -> MakeFacts:
    def make(*gates: GateSpec, stage: str = "production", **changes: object) -> Facts:
        spec = pipeline(*gates)
        at = spec.stage(stage)
        assert at is not None
        return facts_at(spec, at, **changes)

    return make
