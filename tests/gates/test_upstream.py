from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

import pytest

from herodeploy.domain.gate import Facts
from herodeploy.domain.pipeline import GateSpec, Stage, StageSpec
from herodeploy.gates import upstream


@pytest.mark.parametrize(
    ("stage", "verified", "slug", "answer", "reason"),
    [
        ("production", True, "s1", "PASS", "verified in staging"),
        ("production", False, "s1", "WAIT", "not verified in staging, or taken back there since"),
        ("production", True, None, "WAIT", "not verified in staging, or taken back there since"),
        ("staging", False, None, "PASS", "nothing comes before staging"),
    ],
)
def test_the_answer_follows_verification_in_the_stage_before(
    facts: Callable[..., Facts], now: datetime, stage: str, verified: bool, slug: str | None, answer: str, reason: str
) -> None:
    known = facts(stage=stage, verified_in=frozenset({"staging"} if verified else ()), slug_id=slug)
    verdict = upstream.ask(known, GateSpec("upstream"), now)
    assert (verdict.kind, verdict.answer, verdict.reason) == ("upstream", answer, reason)


@pytest.mark.parametrize(
    ("verified", "answers"),
    [
        ({"staging"}, {"last": "PASS", "all": "WAIT", "any": "PASS"}),
        ({"development"}, {"last": "WAIT", "all": "WAIT", "any": "PASS"}),
        ({"development", "staging"}, {"last": "PASS", "all": "PASS", "any": "PASS"}),
        (set(), {"last": "WAIT", "all": "WAIT", "any": "WAIT"}),
        ({"production"}, {"last": "WAIT", "all": "WAIT", "any": "WAIT"}),
    ],
)
def test_it_may_want_all_or_any_of_the_stages_before(
    facts: Callable[..., Facts], now: datetime, verified: set[str], answers: dict[str, str]
) -> None:
    known = facts(verified_in=frozenset(verified))
    development = StageSpec("development", Stage.DEVELOPMENT, ("shop-dev",), (("shop-dev",),))
    stages = (development, *known.pipeline.stages)
    known = dataclasses.replace(known, pipeline=dataclasses.replace(known.pipeline, stages=stages))
    said = {word: upstream.ask(known, GateSpec("upstream", {"verified_in": word}), now) for word in answers}
    assert {word: verdict.answer for word, verdict in said.items()} == answers
    assert upstream.ask(known, GateSpec("upstream"), now) == said["last"]
    if verified == {"staging"}:
        assert said["all"].reason == "not verified in development, or taken back there since"
    if not verified:
        assert said["any"].reason == "not verified in development or staging, or taken back there since"
