"""What is asked when a person promotes by hand: the gates that hold for people, too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.gate import Verdict
from herodeploy.domain.pipeline import App, StageSpec
from herodeploy.domain.release import Release
from herodeploy.errors import Refused, UsageError
from herodeploy.flows.judge import facts_of
from herodeploy.flows.locks import tell_warnings
from herodeploy.flows.looks.look import look_for
from herodeploy.flows.services import Services
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
    services: Services, stage: StageSpec, source: App, release: Release, commit: str | None, reason: str | None
) -> None:
    """Ask the gates that hold for people, too, whether a release may enter a stage by hand.

    Parameters:
        reason: why to go past those that say WAIT or FAIL, which is recorded; None to heed them.

    Raises:
        Refused: one says WAIT or FAIL.
    """
    delivery = _transient(services, stage, source, release, commit)
    facts, now = replace(facts_of(services, delivery, stage), actor=services.actor), services.clock()
    verdicts = evaluate(facts, now, look_for(services, delivery, keep=False), by_hand=True)
    against = [each for each in verdicts if not each.passes]
    if against and reason is None:
        raise Refused(
            "; ".join(f"{each.name}: {each.reason}" for each in against),
            hint=f"wait, or go past it: herodeploy promote {stage.name} --override --reason TEXT",
        )
    tell_warnings(services, facts, verdicts, now)
    if reason is not None:
        _record(services, stage, delivery, against, reason)


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


def _record(services: Services, stage: StageSpec, delivery: Delivery, against: Sequence[Verdict], reason: str) -> None:
    for each in against:
        text = f"overrode gate {each.name} before {stage.name} by hand, which says {each.answer}: {reason}"
        services.tell("warning", f"{each.name} says {each.answer}: {each.reason}", leg=stage.name)
        data: dict[str, object] = {
            "gate": each.name,
            "said": each.answer.value,
            "says": each.reason,
            "reason": reason,
            "slug_id": delivery.slug_id,
            "by_hand": True,
        }
        services.store.record_event(services.event("gate.overridden", text, stage=stage.name, data=data))
