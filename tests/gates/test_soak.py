from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.domain.gate import Facts, Observation, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates import soak
from herodeploy.gates.evaluate import recheck_at

from .conftest import facts_at, pipeline

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MakeFacts = Callable[..., Facts]
SPEC = GateSpec("soak", {"for": 15 * MINUTE})


def seen(since: datetime | None, at: datetime = NOON, **changes: Any) -> Observation:
    data = {"looked_at": at.isoformat(), "healthy_since": since.isoformat() if since else None}
    return Observation(at, {**data, "left": [], "unhealthy": [], "apps": {}, **changes})


def ask(facts: MakeFacts, observation: Observation, now: datetime = NOON, spec: GateSpec = SPEC) -> Verdict:
    return soak.ask(facts(observations={"soak": observation}), spec, now)


def test_it_waits_for_a_first_look(facts: MakeFacts) -> None:
    verdict = soak.ask(facts(), SPEC, NOON)
    assert (verdict.answer, verdict.reason) == ("WAIT", "has not been looked at in staging yet")


def test_it_says_when_it_will_have_soaked_and_is_looked_at_meanwhile(facts: MakeFacts) -> None:
    verdict = ask(facts, seen(NOON - 5 * MINUTE))
    assert (verdict.answer, verdict.until) == ("WAIT", NOON + 10 * MINUTE)
    assert verdict.reason == "soaks in staging until 2026-11-23 12:10 UTC, 15m without interruption"
    assert recheck_at([verdict]) == NOON + MINUTE
    often = GateSpec("soak", {"for": 15 * MINUTE, "every": timedelta(seconds=10)})
    assert recheck_at([ask(facts, seen(NOON - 5 * MINUTE), spec=often)]) == NOON + timedelta(seconds=10)
    soon = ask(facts, seen(NOON - 14.5 * MINUTE))
    assert recheck_at([soon]) == soon.until == NOON + 0.5 * MINUTE


def test_its_sentence_stays_the_same_while_all_is_well(facts: MakeFacts) -> None:
    first, later = ask(facts, seen(NOON)), ask(facts, seen(NOON, NOON + 9 * MINUTE), NOON + 9 * MINUTE)
    assert first.reason == later.reason


def test_it_passes_when_it_was_seen_for_the_whole_length(facts: MakeFacts) -> None:
    verdict = ask(facts, seen(NOON - 15 * MINUTE))
    assert (verdict.answer, verdict.reason) == ("PASS", "healthy in staging for 15m")
    assert ask(facts, seen(NOON - 15 * MINUTE + timedelta(microseconds=1))).answer == "WAIT"


def test_time_after_the_last_look_counts_for_nothing(facts: MakeFacts) -> None:
    assert ask(facts, seen(NOON - 10 * MINUTE), NOON + 60 * MINUTE).answer == "WAIT"


@pytest.mark.parametrize("where", ["unhealthy", "left"])
def test_trouble_waits_without_an_end_but_is_looked_at(facts: MakeFacts, where: str) -> None:
    verdict = ask(facts, seen(None, **{where: ["shop-staging answers 500 to GET /, not 200"]}))
    assert (verdict.answer, verdict.until) == ("WAIT", None)
    assert verdict.reason == (
        "shop-staging answers 500 to GET /, not 200: its soak of 15m begins anew once it is healthy there"
    )
    assert recheck_at([verdict]) == NOON + MINUTE


@dataclasses.dataclass
class Look:
    after: timedelta
    healthy: bool


looks = st.lists(
    st.builds(
        Look,
        after=st.one_of(
            st.just(MINUTE),
            st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=2)),
            st.timedeltas(min_value=timedelta(0), max_value=3 * MINUTE),
        ),
        healthy=st.sampled_from([True, True, True, True, False]),
    ),
    max_size=40,
)
lengths = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(minutes=30))
everies = st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(minutes=5))


@given(looks, lengths, everies)
def test_it_passes_exactly_after_a_whole_stretch_that_was_seen(
    sequence: list[Look], length: timedelta, every: timedelta
) -> None:
    """What was seen since the last trouble, counted anew at each look, reaches the length; nothing else passes."""
    spec = GateSpec("soak", {"for": length, "every": every})
    now, data, stretch = NOON, {}, []
    for look in sequence:
        now += look.after
        since = soak.healthy_since(data, now, spec, healthy=look.healthy)
        data = dict(seen(since, now, unhealthy=[] if look.healthy else ["trouble"]).data)
        stretch = [*stretch, now] if look.healthy else []
        gaps = [later - earlier for earlier, later in itertools.pairwise(stretch)]
        counted = sum((min(gap, 2 * every) for gap in gaps), timedelta())
        verdict = soak.ask(_facts(now, data), spec, now)
        assert (verdict.answer == "PASS") is (bool(stretch) and counted >= length)
        if verdict.answer == "PASS":
            assert stretch[-1] - stretch[0] >= length
            assert len(stretch) > length / (2 * every)
        elif look.healthy:
            assert verdict.until == now + length - counted


@given(looks, lengths, everies)
def test_a_look_that_failed_is_no_look(sequence: list[Look], length: timedelta, every: timedelta) -> None:
    """Looks without an answer leave what was seen as it was, however many there are."""
    spec = GateSpec("soak", {"for": length, "every": every})
    now, data = NOON, dict(seen(NOON).data)
    for look in sequence:
        now += look.after
    since = soak.healthy_since(data, now, spec, healthy=True)
    assert since is not None
    assert now - since == min(now - NOON, 2 * every)


def _facts(now: datetime, data: dict[str, Any]) -> Facts:
    spec = pipeline()
    return facts_at(spec, spec.stages[-1], observations={"soak": Observation(now, data)})
