from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, PipelineSpec, Stage
from herodeploy.errors import UsageError
from herodeploy.gates import registry
from herodeploy.gates.evaluate import decision, evaluate, gates_for, recheck_at

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MakePipeline = Callable[..., PipelineSpec]
BOTH = ["ci", "upstream"]


@pytest.mark.parametrize(
    ("gates", "last", "mode", "kinds"),
    [
        ((), Stage.PRODUCTION, Mode.DELIVERY, [*BOTH, "approval"]),
        ((), Stage.PRODUCTION, Mode.DEPLOYMENT, BOTH),
        ((), Stage.STAGING, Mode.DELIVERY, BOTH),
        ((GateSpec("approval", {"count": 2}),), Stage.PRODUCTION, Mode.DELIVERY, [*BOTH, "approval"]),
        ((GateSpec("approval", {"count": 2}),), Stage.PRODUCTION, Mode.DEPLOYMENT, BOTH),
        ((GateSpec("approval", {"optional": False}),), Stage.PRODUCTION, Mode.DEPLOYMENT, [*BOTH, "approval"]),
        ((GateSpec("approval"),), Stage.STAGING, Mode.DELIVERY, [*BOTH, "approval"]),
        ((GateSpec("upstream"), GateSpec("ci")), Stage.PRODUCTION, Mode.DEPLOYMENT, ["upstream", "ci"]),
    ],
)
def test_which_gates_are_asked(
    make_pipeline: MakePipeline, gates: tuple[GateSpec, ...], last: Stage, mode: Mode, kinds: list[str]
) -> None:
    spec = make_pipeline(*gates, last=last)
    assert [gate.kind for gate in gates_for(spec.stages[-1], spec, mode)] == kinds


def test_a_first_stage_asks_ci_alone(make_pipeline: MakePipeline) -> None:
    spec = make_pipeline()
    assert [gate.kind for gate in gates_for(spec.first, spec, Mode.DELIVERY)] == ["ci"]


def test_the_configured_approval_is_asked_with_its_options(facts: Callable[..., Facts]) -> None:
    verdicts = evaluate(facts(GateSpec("approval", {"count": 3})), NOON)
    assert verdicts[-1].reason.startswith("waits for 3 approvals")


def test_every_gate_answers_in_order(facts: Callable[..., Facts]) -> None:
    verdicts = evaluate(facts(ci=None, verified_upstream=False), NOON)
    assert [(v.gate, v.answer) for v in verdicts] == [("ci", "WAIT"), ("upstream", "WAIT"), ("approval", "WAIT")]
    assert decision(evaluate(facts(mode=Mode.DEPLOYMENT), NOON)) is Answer.PASS
    assert decision(evaluate(facts(mode=Mode.DEPLOYMENT, ci="failed"), NOON)) is Answer.FAIL


def test_an_unknown_kind_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no gate is named 'aproval'") as caught:
        registry.gate("aproval")
    assert caught.value.hint == "did you mean 'approval'?"
    with pytest.raises(UsageError) as caught:
        registry.gate("zzz")
    assert caught.value.hint == "known: ci, upstream, approval"


answers = st.sampled_from(list(Answer))
verdicts = st.lists(st.builds(Verdict, gate=st.text(), answer=answers, reason=st.text(), until=st.none()))


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
