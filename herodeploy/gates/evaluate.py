"""Which gates stand before a stage, what they answer, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, PipelineSpec, Stage, StageSpec
from herodeploy.gates import approval, ci, registry, upstream


def gates_for(stage: StageSpec, pipeline: PipelineSpec, mode: Mode) -> list[GateSpec]:
    """Return the gates to ask before a move into this stage: the configured ones and those that go without saying.

    CI always; verification upstream wherever something is upstream. In delivery mode the last stage, if it is of
    kind production, wants an approval; in deployment mode no approval is asked except one with ``optional: false``.
    """
    asked = [spec for spec in stage.gates if not _switched_off(spec, mode)]
    kinds = {spec.kind for spec in asked}
    implied = [GateSpec(ci.KIND)]
    if pipeline.before(stage.name) is not None:
        implied.append(GateSpec(upstream.KIND))
    last_button = stage == pipeline.stages[-1] and stage.kind is Stage.PRODUCTION and mode is Mode.DELIVERY
    button = [GateSpec(approval.KIND)] if last_button and approval.KIND not in kinds else []
    return [*(spec for spec in implied if spec.kind not in kinds), *asked, *button]


def evaluate(facts: Facts, now: datetime) -> list[Verdict]:
    """Ask every gate before `facts.stage`, in order."""
    specs = gates_for(facts.stage, facts.pipeline, facts.mode)
    return [registry.gate(spec.kind).ask(facts, spec, now) for spec in specs]


def decision(verdicts: Iterable[Verdict]) -> Answer:
    """Return what the verdicts come to: FAIL before WAIT before PASS; an overridden one stands in no one's way."""
    answers = {verdict.answer for verdict in verdicts}
    return next((answer for answer in (Answer.FAIL, Answer.WAIT) if answer in answers), Answer.PASS)


def recheck_at(verdicts: Iterable[Verdict]) -> datetime | None:
    """Return when a waiting delivery is to be looked at again though nothing happens; None if only an event helps."""
    return min((v.until for v in verdicts if v.answer is Answer.WAIT and v.until is not None), default=None)


def _switched_off(spec: GateSpec, mode: Mode) -> bool:
    return spec.kind == approval.KIND and mode is Mode.DEPLOYMENT and bool(spec.options.get("optional", True))
