"""Between two waves: what the wave before got must stay good for a while.

No leg waits: it ends, the time goes into the audit log, and another leg goes on from there. So nothing is under way
meanwhile, and who is killed goes on with the same clock.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from herodeploy.domain.event import Event
from herodeploy.domain.release import Dyno
from herodeploy.errors import PlatformError
from herodeploy.flows.moves import EVENTS
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side

SOAKING = "wave.soaking"
LOOK_AGAIN = 30.0
"""Seconds between two looks at the dynos of what soaks."""


def outcome(wave: int, of: int, until: datetime, releases: dict[str, Any]) -> dict[str, Any]:
    """Return the outcome of a leg whose last wave is soaking.

    Parameters:
        releases: what all apps got so far.
    """
    reason = f"wave {wave} of {of} soaks until {until:%Y-%m-%d %H:%M} UTC"
    return {"outcome": "soaking", "reason": reason, "wave": wave, "until": until.isoformat(), "releases": releases}


def event(services: Services, stage: str, move: str, soaking: dict[str, Any], delivery_id: str | None) -> Event:
    """Return what goes into the audit log about it; `move` as of `Move`."""
    data: dict[str, object] = {"move": move, **{key: soaking[key] for key in ("wave", "until", "releases")}}
    return services.event(SOAKING, soaking["reason"], stage=stage, delivery_id=delivery_id, data=data)


def last(services: Services, stage: str, move: str, delivery_id: str | None) -> dict[str, Any]:
    """Return where a leg goes on after a soak, as part of its payload; nothing where none has begun."""
    for each in services.store.events(services.pipeline().id, delivery_id, limit=EVENTS):
        mine = each.data.get("move") == move if delivery_id is None else True
        if each.kind == SOAKING and each.stage == stage and mine:
            return {"soaked": dict(each.data)}
    return {}


def wait(services: Services, stage: str, soaked: dict[str, Any]) -> None:
    """Wait until the soak is over, or a dyno of what soaks has crashed: what that means the next leg finds out."""
    ends = datetime.fromisoformat(soaked["until"])
    if services.clock() < ends:
        apps = ", ".join(soaked["releases"])
        services.tell("wait", f"wave {soaked['wave']} ({apps}) soaks until {ends:%Y-%m-%d %H:%M} UTC", leg=stage)
    while (left := (ends - services.clock()).total_seconds()) > 0 and not _crashed(services, soaked["releases"]):
        services.pause(min(left, LOOK_AGAIN))


def _crashed(services: Services, releases: dict[str, Any]) -> bool:
    """Whether a dyno has crashed; where nobody can say, the end of the soak will tell."""
    looks = {app: partial(services.heroku.dynos.list, app) for app in releases}
    try:
        dynos: dict[str, list[Dyno]] = side_by_side(services, looks)
    except PlatformError:
        return False
    return any(each.state == "crashed" for found in dynos.values() for each in found)
