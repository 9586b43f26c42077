"""Does somebody keep changes out of this stage?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.lock import Lock
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.times import utc

KIND = "lock"
NAMED = 3
"""So many locks are all named."""


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Wait while the stage, its pipeline or everything is locked by somebody else than who asks.

    All are named, or the one that lasts longest and how many more there are. A lock that only warns passes, and its
    warning is the reason.
    """
    in_force = [lock for lock in facts.locks if lock.holds(now)]
    barring = [lock for lock in in_force if not lock.warning and not _own(lock, facts)]
    known: dict[str, object] = {"locks": [_plain(lock) for lock in in_force]}
    if barring:
        longest, *others = sorted(barring, key=lambda lock: (lock.until is None, lock.until or now), reverse=True)
        known["in_the_way_since"] = max(lock.since for lock in barring).isoformat()
        told = [sentence(lock) for lock in (longest, *others)]
        reason = "; ".join(told) if len(told) <= NAMED else f"{told[0]}; and {len(others)} more locks"
        return Verdict(KIND, Answer.WAIT, reason, until=longest.until, facts=known)
    if in_force:
        return Verdict(KIND, Answer.PASS, "; ".join(_passed(lock, facts) for lock in in_force), facts=known)
    return Verdict(KIND, Answer.PASS, f"{facts.stage.name} is not locked", facts=known)


def sentence(lock: Lock) -> str:
    """Say what is locked, by whom, why and until when."""
    until = f" until {utc(lock.until)}" if lock.until else ""
    return f"{lock.scope} is locked by {lock.by}{until}: {' '.join(lock.why.split())}"


def _passed(lock: Lock, facts: Facts) -> str:
    return f"{sentence(lock)} ({'their own lock' if _own(lock, facts) and not lock.warning else 'only a warning'})"


def _own(lock: Lock, facts: Facts) -> bool:
    return facts.actor is not None and facts.actor.casefold() == lock.by.casefold()


def _plain(lock: Lock) -> dict[str, object]:
    return {
        "id": lock.id,
        "scope": lock.scope,
        "by": lock.by,
        "why": lock.why,
        "since": lock.since.isoformat(),
        "until": lock.until.isoformat() if lock.until else None,
        "warning": lock.warning,
    }
