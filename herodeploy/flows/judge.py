"""Asking the gates of a stage whether deliveries may enter it: one, or thousands that wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.event import Event
from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import StageSpec
from herodeploy.errors import Interrupted, PlatformError, StoreError
from herodeploy.flows import half_way, mode
from herodeploy.flows.locks import tell_warnings
from herodeploy.flows.looks.look import look_for
from herodeploy.flows.moves import LEG_STARTED, last_move
from herodeploy.flows.services import Services
from herodeploy.gates.evaluate import LOOK_AGAIN, asked, decision, evaluate, recheck_at
from herodeploy.store.judging import Judged

SOON = timedelta(seconds=1)
"""Gates whose time has come are asked again no sooner, also where one gives a time that is over."""
LONG = 1.0
"""Seconds after which what was found is written, and others may have their turn."""
OCCUPIED = "stage"
"""Kind and name of the verdict about who is in the stage, which is no gate's."""
MOST = 10
"""Times that one delivery is judged on end because something happened meanwhile; it waits a while afterwards."""


def judge(services: Services, delivery: Delivery) -> Delivery:
    """Ask the gates before `delivery.at_stage` and move the delivery by their answer.

    They are asked again where something happens while they are asked, but not for ever.

    Returns:
        the delivery: running when all gates pass, failed when one says FAIL, waiting otherwise.
    """
    for _ in range(MOST):
        for fault in judge_all(services, [delivery]).values():
            raise fault
        delivery = services.store.delivery(delivery.id) or delivery
        if delivery.status is not Status.WAITING or delivery.news == 0:
            break
    return delivery


def judge_all(services: Services, deliveries: Sequence[Delivery]) -> dict[str, Exception]:
    """Ask the gates for deliveries that wait before one stage, in order, up to the first that may go on.

    Those after it are left as they are: what it does may change the answers. So are those that would take too long, as
    where gates look at the world.

    Returns:
        of each delivery that could not be judged, by its id, what went wrong.
    """
    stage = services.stage(deliveries[0].at_stage)
    all_facts = _facts_of(services, deliveries, stage)
    inside = _inside(services, stage.name)
    judged: list[tuple[Facts, Judged]] = []
    faults: dict[str, Exception] = {}
    ends = time.monotonic() + LONG
    for facts, delivery in zip(all_facts, deliveries, strict=True):
        try:
            judged.append((facts, _judge(services, delivery, facts, inside)))
        except (StoreError, Interrupted):
            raise
        except Exception as error:  # noqa: BLE001 - a fault in one gate must not stop the others
            faults[delivery.id] = error
        if time.monotonic() > ends or (judged and judged[-1][1].changes.get("status") is Status.RUNNING):
            break
    counts = services.store.judging.record([answer for _, answer in judged])
    for facts, answer in judged:
        if answer.delivery.id in counts:
            _tell(services, facts, answer)
    return faults


def verdicts_of(services: Services, delivery: Delivery) -> list[Verdict]:
    """Return what the gates before `delivery.at_stage` say now, by what they saw last; nothing is kept."""
    return all_verdicts_of(services, [delivery])[0]


def all_verdicts_of(services: Services, deliveries: Sequence[Delivery]) -> list[list[Verdict]]:
    """Return what `verdicts_of` does for each of those that wait before one stage."""
    stage, now = services.stage(deliveries[0].at_stage), services.clock()
    inside = _inside(services, stage.name)
    return [evaluate(facts, now) + _occupied(facts, inside, now) for facts in _facts_of(services, deliveries, stage)]


def facts_of(services: Services, delivery: Delivery, stage: StageSpec) -> Facts:
    """Return what the gates of a stage may know of a delivery."""
    return _facts_of(services, [delivery], stage)[0]


def artifact_of(delivery: Delivery) -> str:
    """Return what an approval names: the slug, or the commit while nothing is built."""
    return delivery.slug_id or delivery.commit


def reasons(verdicts: Sequence[Verdict], answer: Answer) -> str:
    """Return the reasons of the verdicts that say `answer`, as one text, but for gates that were not asked yet."""
    return "; ".join(verdict.reason for verdict in asked(verdicts) if verdict.answer is answer)


def _facts_of(services: Services, deliveries: Sequence[Delivery], stage: StageSpec) -> list[Facts]:
    earlier, artifacts = services.spec.earlier(stage.name), {each: artifact_of(each) for each in deliveries}
    pipeline_id, store = services.pipeline().id, services.store
    known = store.judging.known(pipeline_id, stage.name, earlier, artifacts)
    shared: dict[str, Any] = {
        "pipeline": services.spec,
        "stage": stage,
        "mode": mode.show(services).mode,
        "locks": tuple(store.locks.of_stage(pipeline_id, stage.name)),
        "hold": store.locks.hold(pipeline_id, stage.name),
    }
    return [
        Facts(
            **shared,
            delivery_id=each.id,
            commit=each.commit,
            author=each.author,
            slug_id=artifact,
            ci=each.ci,
            verified_in=frozenset(name for name, slugs in known.verified.items() if artifact in slugs),
            approvals=tuple(known.approvals.get(artifact, ())),
            actor=each.asked_by,
            taken_back=known.taken_back.get(each.commit),
            overrides=tuple(known.overrides.get(each.id, ())),
            observations=known.observations.get(each.id, {}),
        )
        for each, artifact in artifacts.items()
    ]


def _judge(services: Services, delivery: Delivery, facts: Facts, inside: Sequence[Delivery]) -> Judged:
    now = services.clock()
    verdicts = evaluate(facts, now, look_for(services, delivery)) + _occupied(facts, inside, now)
    answer = decision(verdicts)
    if answer is Answer.WAIT:
        return _waits(services, delivery, verdicts, now)
    if answer is Answer.FAIL:
        reason = reasons(verdicts, Answer.FAIL)
        if (half := _half_way(services, delivery)) is not None:
            return _waits(services, delivery, verdicts, now, f"{reason}; {half}")
        changes: dict[str, Any] = {"status": Status.FAILED, "reason": reason, "recheck_at": None}
        return Judged(delivery, verdicts, now, changes, _event(services, delivery, "gates.failed", reason))
    text = _passed(facts.stage, verdicts)
    changes = {"status": Status.RUNNING, "reason": None, "recheck_at": None}
    return Judged(delivery, verdicts, now, changes, _event(services, delivery, "gates.passed", text), asking=True)


def _inside(services: Services, stage: str) -> list[Delivery]:
    """Return the deliveries that are on their way into a stage: they soak there, are carried on, or were cut.

    And the one that moved it last and came only half-way; not of a first stage, where what errors is built anew.
    """
    inside = [each for each in services.store.due.running(services.pipeline().id) if each.at_stage == stage]
    last = last_move(services, stage) if stage != services.spec.first.name else None
    if last is not None and last.kind == LEG_STARTED and last.delivery_id is not None:
        half = services.store.delivery(last.delivery_id)
        if half is not None and half.status in (Status.WAITING, Status.ERRORED):
            inside.append(half)
    return inside


def _occupied(facts: Facts, inside: Sequence[Delivery], now: datetime) -> list[Verdict]:
    """Return the verdict that no person can override, where another delivery is on its way into the stage."""
    barring = (each for each in inside if each.status is Status.RUNNING or each.id > facts.delivery_id)
    other = next((each for each in barring if each.id != facts.delivery_id), None)
    if other is None:
        return []
    why = f": {other.reason}" if other.soaks else ""
    reason = f"{other.id} ({other.short}) is on its way into {facts.stage.name}{why}"
    again = other.recheck_at if other.soaks else now + LOOK_AGAIN
    known = {"delivery": other.id, "look_again_at": again.isoformat() if again else None}
    return [Verdict(OCCUPIED, Answer.WAIT, reason, facts=known, name=OCCUPIED)]


def _half_way(services: Services, delivery: Delivery) -> str | None:
    """Say that to end a delivery now would leave its stage half-way, where that is so or nobody can tell."""
    try:
        apps = half_way.brought(services, delivery)
    except PlatformError:
        return f"the platform does not say whether {delivery.at_stage} runs {delivery.short} already"
    if not apps:
        return None
    return f"{half_way.sentence(delivery, apps)}, take it back: herodeploy rollback {delivery.at_stage}"


def _waits(
    services: Services, delivery: Delivery, verdicts: list[Verdict], now: datetime, why: str | None = None
) -> Judged:
    reason, again = why or reasons(verdicts, Answer.WAIT), recheck_at(verdicts)
    if why is not None:
        again = min(again or now + LOOK_AGAIN, now + LOOK_AGAIN)
    again = max(again, now + SOON) if again is not None else None
    news = delivery.reason != reason
    changes: dict[str, Any] = {"reason": reason} if news else {}
    if delivery.recheck_at != again:
        changes["recheck_at"] = again
    event = _event(services, delivery, "gates.waiting", reason) if news else None
    return Judged(delivery, verdicts, now, changes, event)


def _tell(services: Services, facts: Facts, judged: Judged) -> None:
    status, stage = judged.changes.get("status"), judged.delivery.at_stage
    if status is Status.RUNNING:
        tell_warnings(services, facts, judged.verdicts, judged.at)
    elif status is Status.FAILED:
        services.tell("failed", reasons(judged.verdicts, Answer.FAIL), leg=stage)
    elif judged.event is not None or judged.delivery.asked_by is not None:
        services.tell("wait", judged.changes.get("reason") or judged.delivery.reason or "", leg=stage)


def _passed(stage: StageSpec, verdicts: Sequence[Verdict]) -> str:
    overridden = [f"{each.name} ({each.actor})" for each in verdicts if each.answer is Answer.OVERRIDDEN]
    return f"may enter {stage.name}" + (f"; overridden: {', '.join(overridden)}" if overridden else "")


def _event(services: Services, delivery: Delivery, kind: str, text: str) -> Event:
    return services.event(kind, text, delivery_id=delivery.id, stage=delivery.at_stage)
