"""Is this a time at which changes may enter the stage?"""

from __future__ import annotations

from datetime import datetime

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.gates.calendar import calendar_of, plain

KIND = "window"
OPTIONS = frozenset({"allow", "timezone"})


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
    """Pass while one of the ranges holds; wait otherwise, until one does.

    Options of `spec`:
        allow: the ranges, as of `ranges.parse`.
        timezone: an IANA time zone, UTC unless given.
    """
    items, timezone = spec.options["allow"], str(spec.options.get("timezone", "UTC"))
    calendar = calendar_of(items, timezone)
    state = calendar.at(now)
    known = {
        "allow": [plain(item) for item in items],
        "timezone": timezone,
        "open": state.holds,
        "changes_at": state.until.isoformat() if state.until else None,
    }
    if state.holds:
        until = f" until {calendar.shown(state.until)}" if state.until else ""
        return Verdict(KIND, Answer.PASS, f"the window of {facts.stage.name} is open{until}", facts=known)
    if state.until is None:
        reason = f"the window of {facts.stage.name} does not open before {state.horizon + 1}: change allow"
        return Verdict(KIND, Answer.WAIT, f"{reason} in herodeploy.yml", facts=known)
    reason = f"the window of {facts.stage.name} opens {calendar.shown(state.until)}"
    return Verdict(KIND, Answer.WAIT, reason, until=state.until, facts=known)
