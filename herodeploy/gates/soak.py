"""Has it been healthy upstream for long enough, without interruption?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.gate import Answer, Facts, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.times import utc
from herodeploy.gates import options

KIND = "soak"
OPTIONS = frozenset({"for", "every", "error_rate"})
EVERY = timedelta(minutes=1)
ERROR_RATE = "1%"
ALLOWANCE = 2
"""Of the time between two looks no more than this many times `every` counts: the rest nobody has seen."""

Data = Mapping[str, Any]


def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:  # noqa: ARG001 - every gate is asked alike
    """Pass once it has been seen healthy for the whole length; what is unhealthy, or another artifact, begins it anew.

    It goes by the time of the last look, so that time after it counts for nothing.

    Options of `spec`:
        for: the length.
        every: how often it is looked at meanwhile, each minute unless given.
        error_rate: the share of requests that may end as a router error or 5xx, 1% unless given; used by the look.
    """
    before = facts.pipeline.before(facts.stage.name)
    where = before.name if before else "nothing"
    seen = facts.observed(spec)
    if seen is None:
        return Verdict(KIND, Answer.WAIT, f"has not been looked at in {where} yet")
    data: Data = seen.data
    length = options.duration(spec.options["for"]) or timedelta()
    looked_at, since = options.moment(data["looked_at"]), options.moment(data["healthy_since"])
    known = {**data, "look_again_at": (seen.at + every(spec)).isoformat()}
    if since is None or looked_at is None:
        why = "; ".join([*data["left"], *data["unhealthy"]])
        again = f"its soak of {options.spoken(length)} begins anew once it is healthy there"
        return Verdict(KIND, Answer.WAIT, f"{why}: {again}", facts=known)
    ends = since + length
    if looked_at >= ends:
        return Verdict(KIND, Answer.PASS, f"healthy in {where} for {options.spoken(length)}", facts=data)
    known["look_again_at"] = min(ends, seen.at + every(spec)).isoformat()
    soaks = f"soaks in {where} until {utc(ends)}, {options.spoken(length)} without interruption"
    return Verdict(KIND, Answer.WAIT, soaks, until=ends, facts=known)


def healthy_since(before: Data, now: datetime, spec: GateSpec, *, healthy: bool) -> datetime | None:
    """Return since when it counts as healthy after a look at `now`; None where it is not.

    Parameters:
        before: what the look before this one returned; empty for the first.
    """
    if not healthy:
        return None
    since, looked_at = options.moment(before.get("healthy_since")), options.moment(before.get("looked_at"))
    if since is None or looked_at is None:
        return now
    unseen = now - looked_at - ALLOWANCE * every(spec)
    return since + max(unseen, timedelta())


def every(spec: GateSpec) -> timedelta:
    """Return how long it may go without a look."""
    return options.duration(spec.options.get("every")) or EVERY
