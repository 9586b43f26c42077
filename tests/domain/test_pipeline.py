from __future__ import annotations

from herodeploy.domain.pipeline import CiSpec, PipelineSpec, ReviewSpec, Stage, StageSpec


def stage(name: str, kind: Stage) -> StageSpec:
    return StageSpec(name, kind, (f"shop-{name}",), ((f"shop-{name}",),))


STAGES = (stage("dev", Stage.DEVELOPMENT), stage("staging", Stage.STAGING), stage("live", Stage.PRODUCTION))
SHOP = PipelineSpec("shop", "local", "delivery", CiSpec(), ReviewSpec(), STAGES)


def test_stages_are_found_by_name() -> None:
    assert SHOP.stage("live") is STAGES[2]
    assert SHOP.stage("nowhere") is None
    assert SHOP.first is STAGES[0]


def test_each_stage_but_the_first_has_one_before_it() -> None:
    assert SHOP.before("live") is STAGES[1]
    assert SHOP.before("staging") is STAGES[0]
    assert SHOP.before("dev") is None
