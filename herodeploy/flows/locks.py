"""Locks: a person keeps changes out of a stage, the pipeline or everything, and lets them in again."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from herodeploy.domain.gate import Facts, Verdict
from herodeploy.domain.lock import Lock
from herodeploy.domain.snapshot import plain
from herodeploy.domain.times import utc
from herodeploy.errors import UsageError
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import wait_for
from herodeploy.gates.lock import sentence

LOOK_AGAIN = 1.0
"""Seconds between two looks whether somebody has unlocked."""

Scope = Literal["stage", "pipeline", "everything"]


def lock(
    services: Services,
    stage: str | None = None,
    *,
    why: str,
    scope: Scope = "stage",
    until: datetime | None = None,
    warning: bool = False,
) -> Lock:
    """Lock a place for the actor.

    Parameters:
        stage: with `scope` stage; the last one unless given.
        until: when it ends by itself; None is until somebody unlocks.
        warning: only warn those who promote.

    Raises:
        UsageError: there is no such stage, no reason is given, or it would have ended already.
    """
    if not why.strip():
        raise UsageError("a lock wants a reason", hint="say it with --why TEXT")
    now = services.clock()
    until = until.astimezone(UTC) if until is not None else None
    if until is not None and until <= now:
        raise UsageError(f"that lock would have ended already, at {utc(until)}", hint="name a later time")
    pipeline_id, name = _place(services, stage, scope)
    made = Lock(secrets.token_hex(4), pipeline_id, name, services.actor, why.strip(), now, until, warning)
    text = f"{'warns of' if warning else 'locked'} {made.scope}{_ends(made)}: {made.why}"
    services.store.locks.add(made, services.event("lock.set", text, stage=name, data=lock_json(made)))
    return made


def unlock(
    services: Services, what: str | None = None, *, scope: Scope = "stage", why: str | None = None
) -> list[Lock]:
    """Take a lock away, whoever set it; the audit log says whose it was.

    Of the locks of one place a person's own are meant, else the only one there is.

    Parameters:
        what: with `scope` stage: a stage, or a lock's id or the beginning of it; the last stage unless given.

    Returns:
        the locks that are gone.

    Raises:
        UsageError: nothing is locked there, or several locks of others are.
    """
    meant = _meant(services, what, scope)
    gone = []
    for each in meant:
        whose = "their own lock" if is_of(each, services.actor) else f"the lock of {each.by}"
        text = f"unlocked {each.scope}, {whose} ({each.why})" + (f": {why}" if why else "")
        data: dict[str, object] = {**lock_json(each), "unlocked_because": why}
        if services.store.locks.remove(each.id, services.event("lock.released", text, stage=each.stage, data=data)):
            gone.append(each)
    if not gone:
        raise UsageError(
            f"{meant[0].scope} is not locked any more: somebody was faster", hint="see: herodeploy history"
        )
    return gone


def in_force(services: Services, stage: str | None = None) -> list[Lock]:
    """Return the locks that hold now, oldest first.

    Parameters:
        stage: only those that mean this stage, wider ones among them.
    """
    locks, now = services.store.locks.of_pipeline(services.pipeline().id), services.clock()
    return [each for each in locks if each.holds(now) and (stage is None or each.stage in (None, stage))]


def barring(services: Services, stage: str) -> list[Lock]:
    """Return the locks that keep the actor out of a stage: their own does not, nor one that only warns."""
    found = in_force(services, stage)
    return [each for each in found if not each.warning and not is_of(each, services.actor)]


def gone(services: Services, stage: str, past: Collection[str], within: timedelta) -> bool:
    """Wait until no lock keeps the actor out of a stage any more, but for those that they go past; whether none does.

    Parameters:
        past: the ids of these.
        within: how long to wait.
    """

    def none_left() -> bool | None:
        return None if any(each.id not in past for each in barring(services, stage)) else True

    return wait_for(services, none_left, within=within, every=max(LOOK_AGAIN, services.poll)) is not None


def is_of(lock: Lock, actor: str) -> bool:
    """Whether the actor set it."""
    return lock.by.casefold() == actor.casefold()


def tell_warnings(services: Services, facts: Facts, verdicts: Iterable[Verdict], now: datetime) -> None:
    """Tell who is about to enter a stage the warnings that somebody set on it, and those of its gates.

    A lock of their own that lets them in is told, too: they may have forgotten it.
    """
    for each in (lock for lock in facts.locks if lock.holds(now)):
        if each.warning:
            services.tell("warning", f"{each.by} warns of {each.scope}: {each.why}", leg=facts.stage.name)
        elif facts.actor is not None and is_of(each, facts.actor):
            text = f"{each.scope} is locked: {each.why}; it lets in who set it ({each.by})"
            services.tell("warning", text, leg=facts.stage.name)
    for warning in (warning for verdict in verdicts for warning in verdict.warnings):
        services.tell("warning", warning, leg=facts.stage.name)


def lock_json(lock: Lock) -> dict[str, Any]:
    """Return plain JSON values."""
    value = {"id": lock.id, "scope": lock.scope, "stage": lock.stage, "by": lock.by, "why": lock.why}
    return dict(plain({**value, "since": lock.since, "until": lock.until, "warning": lock.warning}))


def _place(services: Services, stage: str | None, scope: Scope) -> tuple[str | None, str | None]:
    """Return what is locked, as its row names it."""
    if stage is not None and scope != "stage":
        raise UsageError(f"stage '{stage}' and --{scope} are two places", hint="name one of them")
    if scope == "everything":
        return None, None
    if scope == "pipeline":
        return services.pipeline().id, None
    return services.pipeline().id, services.stage(stage).name if stage else services.spec.stages[-1].name


def _meant(services: Services, what: str | None, scope: Scope) -> Sequence[Lock]:
    if what is not None and scope == "stage" and services.spec.stage(what) is None:
        return [_by_id(services, what)]
    pipeline_id, stage = _place(services, what, scope)
    there = in_force(services)
    here = [each for each in there if (each.pipeline_id, each.stage) == (pipeline_id, stage)]
    if not here:
        place = stage or ("the pipeline" if scope == "pipeline" else "everything as a whole")
        raise _not_locked(place, [each for each in there if stage is not None and each.stage is None])
    own = [each for each in here if is_of(each, services.actor)]
    if own or len(here) == 1:
        return own or here
    ids = "; ".join(f"{each.id} by {each.by}" for each in here)
    raise UsageError(f"{here[0].scope} has several locks: {ids}", hint="name one: herodeploy unlock ID")


def _by_id(services: Services, beginning: str) -> Lock:
    found = [each for each in in_force(services) if beginning and each.id.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    stages = ", ".join(stage.name for stage in services.spec.stages)
    problem = f"'{beginning}' may mean several locks" if found else f"no stage and no lock is called '{beginning}'"
    raise UsageError(problem, hint=f"stages: {stages}; see the locks: herodeploy locks")


def _not_locked(place: str, wider: list[Lock]) -> UsageError:
    if not wider:
        return UsageError(f"{place} is not locked", hint="see the locks: herodeploy locks")
    told = "; ".join(sentence(each) for each in wider)
    return UsageError(f"{place} itself is not locked; {told}", hint=f"herodeploy unlock {wider[0].id}")


def _ends(lock: Lock) -> str:
    return f" until {utc(lock.until)}" if lock.until else ""
