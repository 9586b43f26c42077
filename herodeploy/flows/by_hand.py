"""What is asked when a person promotes by hand: the gates that hold for people, too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Facts, Verdict
from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.promotion import Refusal
from herodeploy.domain.release import Release
from herodeploy.errors import Locked, Refused, UsageError
from herodeploy.flows.judge import facts_of
from herodeploy.flows.locks import tell_warnings
from herodeploy.flows.looks.look import look_for
from herodeploy.flows.services import Services
from herodeploy.gates import lock
from herodeploy.gates.evaluate import evaluate


def check_reason(override: bool, reason: str | None) -> str | None:
    """Return the reason to go past gates, or None where a person does not want to.

    Raises:
        UsageError: one wants to without a reason, or gives a reason for nothing.
    """
    given = (reason or "").strip() or None
    if override and given is None:
        raise UsageError("--override wants a reason", hint="say it with --reason TEXT")
    if given is not None and not override:
        raise UsageError("--reason has no meaning without --override", hint="add --override, or leave it out")
    return given


def ask(
    services: Services,
    stage: StageSpec,
    source: App,
    release: Release,
    commit: str | None,
    reason: str | None,
    command: str,
) -> None:
    """Ask the gates that hold for people, too, whether a release may enter a stage by hand.

    Parameters:
        reason: why to go past those that say WAIT or FAIL, which is recorded; None to heed them.
        command: what the person has asked for.

    Raises:
        Locked: only a lock is in the way.
        Refused: another one says WAIT or FAIL.
    """
    asked = _asked(services, stage, source, release, commit)
    if asked.against and reason is None:
        told = "; ".join(f"{each.name}: {each.reason}" for each in asked.against)
        past = f"or go past it: {command} --override --reason TEXT"
        if all(each.kind == lock.KIND for each in asked.against):
            raise Locked(told, stage=stage.name, hint=f"wait for it with --lock-wait 10m, {past}")
        raise Refused(told, hint=f"wait, {past}")
    asked.tell_warnings(services)
    if reason is not None:
        asked.tell_past(services)
        _record(services, stage, release, asked.against, reason)


def refusals(
    services: Services, stage: StageSpec, source: App, release: Release, commit: str | None, reason: str | None
) -> tuple[Refusal, ...]:
    """Return what `ask` would refuse for, and record nothing; parameters as there."""
    asked = _asked(services, stage, source, release, commit)
    asked.tell_warnings(services)
    if reason is not None:
        asked.tell_past(services)
        return ()
    return tuple(Refusal(each.name, each.reason) for each in asked.against)


@dataclass(frozen=True, slots=True)
class _Asked:
    facts: Facts
    now: datetime
    verdicts: Sequence[Verdict]

    @property
    def against(self) -> list[Verdict]:
        return [each for each in self.verdicts if not each.passes]

    def tell_warnings(self, services: Services) -> None:
        tell_warnings(services, self.facts, self.verdicts, self.now)

    def tell_past(self, services: Services) -> None:
        for each in self.against:
            services.tell("warning", f"{each.name} says {each.answer}: {each.reason}", leg=self.facts.stage.name)


def _asked(services: Services, stage: StageSpec, source: App, release: Release, commit: str | None) -> _Asked:
    delivery = _transient(services, stage, source, release, commit)
    facts, now = replace(facts_of(services, delivery, stage), actor=services.actor), services.clock()
    return _Asked(facts, now, evaluate(facts, now, look_for(services, delivery, keep=False), by_hand=True))


def _transient(services: Services, stage: StageSpec, source: App, release: Release, commit: str | None) -> Delivery:
    """Return what gates and their looks are told of a promotion without a delivery; it is never stored."""
    now, pipeline = services.clock(), services.pipeline()
    return Delivery(
        id=f"by-hand-{uuid.uuid4().hex[:8]}",
        pipeline_id=pipeline.id,
        pipeline=pipeline.name,
        commit=commit or "",
        branch=None,
        message="",
        author="",
        status=Status.WAITING,
        at_stage=stage.name,
        attempt=1,
        created_at=now,
        updated_at=now,
        slug_id=release.slug_id,
        source_app_id=source.id,
        source_release_id=release.id,
    )


def _record(services: Services, stage: StageSpec, release: Release, against: Sequence[Verdict], reason: str) -> None:
    for each in against:
        text = f"overrode gate {each.name}, which says {each.answer}, before {stage.name} by hand: {reason}"
        data: dict[str, object] = {
            "gate": each.name,
            "said": each.answer.value,
            "says": each.reason,
            "reason": reason,
            "slug_id": release.slug_id,
            "by_hand": True,
        }
        services.store.record_event(services.event("gate.overridden", text, stage=stage.name, data=data))
