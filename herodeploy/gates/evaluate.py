"""Which gates stand before a stage, what they answer, and what that comes to."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from herodeploy.domain.gate import Answer, Facts, Observation, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, PipelineSpec, Stage, StageSpec
from herodeploy.gates import approval, ci, hold, lock, registry, upstream
from herodeploy.gates.registry import Cost

LOOK_AGAIN = timedelta(minutes=1)
"""When a gate that could not look is asked again."""

LookFor = Callable[[GateSpec, Facts], Observation | None]
"""Looks at the world for one gate, after the facts so far; None for a gate that needs no look."""


def gates_for(stage: StageSpec, pipeline: PipelineSpec, mode: Mode) -> list[GateSpec]:
    """Return the gates to ask before a move into this stage, those that cost least first.

    CI, locks and holds always; verification upstream wherever something is upstream. In delivery mode the last stage,
    if it is of kind production, wants an approval; in deployment mode no approval is asked except one with
    ``optional: false``.
    """
    asked = [spec for spec in stage.gates if not _switched_off(spec, mode)]
    kinds = {spec.kind for spec in asked}
    implied = [GateSpec(ci.KIND)]
    if pipeline.before(stage.name) is not None:
        implied.append(GateSpec(upstream.KIND))
    implied += [GateSpec(lock.KIND), GateSpec(hold.KIND)]
    last_button = stage == pipeline.stages[-1] and stage.kind is Stage.PRODUCTION and mode is Mode.DELIVERY
    button = [GateSpec(approval.KIND)] if last_button and approval.KIND not in kinds else []
    specs = [*(spec for spec in implied if spec.kind not in kinds), *asked, *button]
    return sorted(specs, key=lambda spec: registry.gate(spec.kind).cost)


def evaluate(facts: Facts, now: datetime, look: LookFor | None = None, *, by_hand: bool = False) -> list[Verdict]:
    """Ask every gate before `facts.stage`, the cheap ones first.

    A gate that looks at the world is not asked after a FAIL; one that runs something of the user's is asked only when
    all before it pass.

    Parameters:
        look: how gates look at the world; without it they go by the observations that are in the facts.
        by_hand: ask only those that are asked, too, when a person promotes without a delivery.
    """
    verdicts: list[Verdict] = []
    for spec in gates_for(facts.stage, facts.pipeline, facts.mode):
        if by_hand and not registry.gate(spec.kind).by_hand:
            continue
        first = _not_yet(spec, verdicts)
        waits = tuple(each.name for each in verdicts if each.answer is Answer.WAIT)
        if waits != facts.waits:
            facts = dataclasses.replace(facts, waits=waits)
        verdict = first or _ask(facts, spec, now, look)
        verdict = dataclasses.replace(verdict, kind=spec.kind, name=spec.name)
        verdicts.append(_overridden(verdict, facts))
    return verdicts


def decision(verdicts: Iterable[Verdict]) -> Answer:
    """Return what the verdicts come to: FAIL before WAIT before PASS; an overridden one stands in no one's way."""
    answers = {verdict.answer for verdict in verdicts}
    return next((answer for answer in (Answer.FAIL, Answer.WAIT) if answer in answers), Answer.PASS)


def asked(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts of gates that were asked; one that costs too much waits until others pass."""
    names = [each.name for each in verdicts]
    return [each for each in verdicts if each.facts.get("after") not in names]


def recheck_at(verdicts: Iterable[Verdict]) -> datetime | None:
    """Return when a waiting delivery is to be looked at again though nothing happens; None if only an event helps."""
    return min((at for v in verdicts if v.answer is Answer.WAIT and (at := v.look_again_at) is not None), default=None)


def _not_yet(spec: GateSpec, verdicts: list[Verdict]) -> Verdict | None:
    """Return the verdict of a gate that costs too much to be asked now; None where it is asked."""
    cost = registry.gate(spec.kind).cost
    answers = (Answer.FAIL,) if cost is Cost.LOOKS else (Answer.FAIL, Answer.WAIT) if cost is Cost.ACTS else ()
    first = next((each for each in verdicts if each.answer in answers), None)
    if first is None:
        return None
    return Verdict(spec.kind, Answer.WAIT, f"not asked before {first.name} passes", facts={"after": first.name})


def _ask(facts: Facts, spec: GateSpec, now: datetime, look: LookFor | None) -> Verdict:
    gate = registry.gate(spec.kind)
    if gate.cost is Cost.FREE:
        return gate.ask(facts, spec, now)
    seen = look(spec, facts) if look is not None else facts.observed(spec)
    if seen is not None:
        facts = dataclasses.replace(facts, observations={**facts.observations, spec.memory: seen})
        if seen.error is not None:
            reason = f"could not look: {seen.error}"
            return Verdict(spec.kind, Answer.WAIT, reason, until=now + LOOK_AGAIN, facts=seen.data)
    return gate.ask(facts, spec, now)


def _overridden(verdict: Verdict, facts: Facts) -> Verdict:
    """Return the verdict under a person's decision, if there is one; what the gate says stays in it.

    A lock, a hold or a refusal that came later is another matter than the one that was decided about.
    """
    since = verdict.in_the_way_since
    ours = (each for each in facts.overrides if each.gate == verdict.name and each.slug_id == facts.slug_id)
    said = [each for each in ours if since is None or each.at >= since]
    if verdict.passes or not said:
        return verdict
    last = said[-1]
    reason = f"{last.by} overrode it ({last.reason}); it says {verdict.answer}: {verdict.reason}"
    return dataclasses.replace(
        verdict, answer=Answer.OVERRIDDEN, reason=reason, actor=last.by, comment=last.reason, said=verdict.answer
    )


def _switched_off(spec: GateSpec, mode: Mode) -> bool:
    return spec.kind == approval.KIND and mode is Mode.DEPLOYMENT and bool(spec.options.get("optional", True))
