from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.domain.gate import Answer, Facts, Observation, Override, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, PipelineSpec, Stage
from herodeploy.errors import UsageError
from herodeploy.gates import registry
from herodeploy.gates.evaluate import decision, evaluate, gates_for, recheck_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakePipeline = Callable[..., PipelineSpec]
ALWAYS = ["ci", "upstream", "lock", "hold"]


@pytest.mark.parametrize(
    ("gates", "last", "mode", "kinds"),
    [
        ((), Stage.PRODUCTION, Mode.DELIVERY, [*ALWAYS, "approval"]),
        ((), Stage.PRODUCTION, Mode.DEPLOYMENT, ALWAYS),
        ((), Stage.STAGING, Mode.DELIVERY, ALWAYS),
        ((GateSpec("approval", {"count": 2}),), Stage.PRODUCTION, Mode.DELIVERY, [*ALWAYS, "approval"]),
        ((GateSpec("approval", {"count": 2}),), Stage.PRODUCTION, Mode.DEPLOYMENT, ALWAYS),
        ((GateSpec("approval", {"optional": False}),), Stage.PRODUCTION, Mode.DEPLOYMENT, [*ALWAYS, "approval"]),
        ((GateSpec("approval"),), Stage.STAGING, Mode.DELIVERY, [*ALWAYS, "approval"]),
        ((GateSpec("upstream"), GateSpec("ci")), Stage.PRODUCTION, Mode.DEPLOYMENT, ["lock", "hold", "upstream", "ci"]),
    ],
)
def test_which_gates_are_asked(
    make_pipeline: MakePipeline, gates: tuple[GateSpec, ...], last: Stage, mode: Mode, kinds: list[str]
) -> None:
    spec = make_pipeline(*gates, last=last)
    assert [gate.kind for gate in gates_for(spec.stages[-1], spec, mode)] == kinds


def test_a_first_stage_asks_no_upstream(make_pipeline: MakePipeline) -> None:
    spec = make_pipeline()
    assert [gate.kind for gate in gates_for(spec.first, spec, Mode.DELIVERY)] == ["ci", "lock", "hold"]


def test_the_configured_approval_is_asked_with_its_options(facts: Callable[..., Facts]) -> None:
    verdicts = evaluate(facts(GateSpec("approval", {"count": 3})), NOON)
    assert verdicts[-1].reason.startswith("waits for 3 approvals")


def test_every_gate_answers_in_order(facts: Callable[..., Facts]) -> None:
    verdicts = evaluate(facts(ci=None, verified_in=frozenset()), NOON)
    answers = {v.kind: v.answer for v in verdicts}
    assert list(answers) == [*ALWAYS, "approval"]
    assert answers == {"ci": "WAIT", "upstream": "WAIT", "lock": "PASS", "hold": "PASS", "approval": "WAIT"}
    assert decision(evaluate(facts(mode=Mode.DEPLOYMENT), NOON)) is Answer.PASS
    assert decision(evaluate(facts(mode=Mode.DEPLOYMENT, ci="failed"), NOON)) is Answer.FAIL


def test_an_unknown_kind_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no gate is named 'aproval'") as caught:
        registry.gate("aproval")
    assert caught.value.hint == "did you mean 'approval'?"
    with pytest.raises(UsageError) as caught:
        registry.gate("zzz")
    assert caught.value.hint == f"known: {', '.join(registry.GATES)}"


def costly(monkeypatch: pytest.MonkeyPatch, kind: str, cost: registry.Cost) -> list[Observation | None]:
    """Register a gate that passes; returns what it was given, each time it was asked."""
    asked: list[Observation | None] = []

    def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
        asked.append(facts.observed(spec))
        return Verdict(kind, Answer.PASS, "fine")

    monkeypatch.setitem(registry.GATES, kind, registry.Gate(kind, ask, cost=cost))
    return asked


def test_what_costs_is_asked_after_what_is_free(facts: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    runs, looks = costly(monkeypatch, "runs", registry.Cost.ACTS), costly(monkeypatch, "looks", registry.Cost.LOOKS)
    given = facts(GateSpec("runs"), GateSpec("looks"), mode=Mode.DEPLOYMENT)
    assert [v.kind for v in evaluate(given, NOON)] == [*ALWAYS, "looks", "runs"]
    assert (len(looks), len(runs)) == (1, 1)

    waiting = evaluate(dataclasses.replace(given, ci=None), NOON)
    assert (len(looks), len(runs)) == (2, 1), "what runs something waits until all others pass"
    assert (waiting[-1].answer, waiting[-1].reason) == ("WAIT", "not asked before ci passes")

    failed = evaluate(dataclasses.replace(given, ci="failed"), NOON)
    assert (len(looks), len(runs)) == (2, 1), "after a FAIL nothing that costs is asked"
    assert decision(failed) is Answer.FAIL


def test_a_gate_that_could_not_look_waits_and_is_asked_again(
    facts: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = costly(monkeypatch, "looks", registry.Cost.LOOKS)
    seen = Observation(NOON, {"n": 1}, error="the network is down")
    verdict = evaluate(facts(GateSpec("looks")), NOON, lambda spec, facts: seen)[-1]
    assert (verdict.answer, verdict.reason) == ("WAIT", "could not look: the network is down")
    assert verdict.until == NOON + timedelta(minutes=1)
    assert asked == []
    fine = Observation(NOON, {"n": 1})
    assert evaluate(facts(GateSpec("looks")), NOON, lambda spec, facts: fine)[-1].answer == "PASS"
    assert asked == [fine]


def test_an_override_stands_beside_what_the_gate_says(facts: Callable[..., Facts]) -> None:
    given = facts(ci="failed")
    override = Override("1", given.delivery_id, "production", "s1", "ci", "bob", NOON, "the test is wrong")
    verdict = evaluate(dataclasses.replace(given, overrides=(override,)), NOON)[0]
    assert (verdict.answer, verdict.said, verdict.actor) == ("OVERRIDDEN", "FAIL", "bob")
    assert verdict.reason == "bob overrode it (the test is wrong); it says FAIL: CI failed for 01234567"
    other = dataclasses.replace(override, slug_id="s0")
    assert evaluate(dataclasses.replace(given, overrides=(other,)), NOON)[0].answer == "FAIL", "another artifact"


def test_gates_of_one_kind_are_told_apart_by_name(facts: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    costly(monkeypatch, "looks", registry.Cost.FREE)
    specs = (GateSpec("looks", {"name": "one"}), GateSpec("looks"))
    named = [(v.kind, v.name) for v in evaluate(facts(*specs), NOON) if v.kind == "looks"]
    assert named == [("looks", "one"), ("looks", "looks")]


answers = st.sampled_from(list(Answer))
verdicts = st.lists(st.builds(Verdict, kind=st.text(), answer=answers, reason=st.text(), until=st.none()))


@given(verdicts, st.randoms())
def test_the_order_of_verdicts_decides_nothing(given: list[Verdict], chance: object) -> None:
    shuffled = list(given)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decision(shuffled) is decision(given)


@given(verdicts, verdicts)
def test_another_verdict_never_makes_a_decision_milder(some: list[Verdict], more: list[Verdict]) -> None:
    severity = [Answer.PASS, Answer.WAIT, Answer.FAIL].index
    assert severity(decision(some + more)) == max(severity(decision(some)), severity(decision(more)))


@given(verdicts)
def test_it_passes_exactly_when_nothing_waits_or_fails(given: list[Verdict]) -> None:
    in_the_way = [v for v in given if v.answer in (Answer.WAIT, Answer.FAIL)]
    assert (decision(given) is Answer.PASS) is (not in_the_way)


def test_it_is_looked_at_again_when_the_first_wait_may_end() -> None:
    def waiting(minutes: int | None) -> Verdict:
        until = None if minutes is None else NOON + timedelta(minutes=minutes)
        return Verdict("soak", Answer.WAIT, "", until=until)

    passed = Verdict("x", Answer.PASS, "", until=NOON)
    assert recheck_at([waiting(9), passed, waiting(None), waiting(4)]) == NOON + timedelta(minutes=4)
    assert recheck_at([waiting(None), passed]) is None
