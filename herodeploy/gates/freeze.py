"""Is this a time at which nothing may enter the stage?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates.calendar import calendar_of, plain

KIND = "freeze"
OPTIONS = frozenset({"deny", "timezone", "why"})


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Wait while one of the ranges holds, until none does; whatever a window allows.

    Options of `spec`:
        deny: the ranges, as of `ranges.parse`.
        timezone: an IANA time zone, UTC unless given.
        why: what people are told.
    """
    items, timezone = spec.options["deny"], str(spec.options.get("timezone", "UTC"))
    calendar = calendar_of(items, timezone)
    state = calendar.at(now)
    why = spec.options.get("why")
    known = {
        "deny": [plain(item) for item in items],
        "timezone": timezone,
        "why": why,
        "frozen": state.holds,
        "changes_at": state.until.isoformat() if state.until else None,
    }
    if not state.holds:
        following = f"; the next freeze begins {calendar.shown(state.until)}" if state.until else ""
        return Verdict(KIND, Answer.PASS, f"{facts.stage.name} is not frozen{following}", facts=known)
    because = f": {why}" if why else ""
    if state.until is None:
        reason = f"{facts.stage.name} is frozen and does not thaw before {state.horizon + 1}{because}; change deny"
        return Verdict(KIND, Answer.WAIT, f"{reason} in herodeploy.yml", facts=known)
    reason = f"{facts.stage.name} is frozen until {calendar.shown(state.until)}{because}"
    return Verdict(KIND, Answer.WAIT, reason, until=state.until, facts=known)
