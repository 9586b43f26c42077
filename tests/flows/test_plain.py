"""A leg's stage as JSON."""

from __future__ import annotations

from datetime import timedelta

from herodeploy.domain.pipeline import Stage, StageSpec, VerifySpec
from herodeploy.flows.plain import stage_from_json, stage_to_json

STAGE = StageSpec(
    name="production",
    kind=Stage.PRODUCTION,
    apps=("shop-eu", "shop-us"),
    waves=(("shop-eu",), ("shop-us",)),
    verify=VerifySpec("/up", 204, timedelta(seconds=9), 3, "bin/smoke", timedelta(minutes=7)),
    on_failure="stop",
    wave_soak=timedelta(minutes=10),
)


def test_a_stage_comes_back_as_it_was() -> None:
    assert stage_from_json(stage_to_json(STAGE)) == STAGE


def test_a_leg_that_an_older_herodeploy_started_goes_on() -> None:
    told = stage_to_json(STAGE)
    del told["wave_soak"], told["verify"]["command"], told["verify"]["timeout"]
    stage = stage_from_json(told)
    assert stage.wave_soak is None
    assert stage.verify == VerifySpec("/up", 204, timedelta(seconds=9), 3)
