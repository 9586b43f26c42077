"""Between two waves: what the wave before got must stay good for a while, or its wave has failed.

No leg waits: it ends, the time goes into the audit log, and another leg goes on from there. So nothing is under way
meanwhile, and who is killed goes on with the same clock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from herodeploy.domain.event import Event
from herodeploy.domain.times import utc_exact
from herodeploy.errors import PlatformError
from herodeploy.flows.health import crashed, of_formation, read_log
from herodeploy.flows.moves import last_of
from herodeploy.flows.services import Services
from herodeploy.flows.side_by_side import side_by_side
from herodeploy.flows.verify import show_log

SOAKING = "wave.soaking"
CRASHED = "wave.crashed"
LOOK_AGAIN = 30.0
"""Seconds between two looks at the dynos of what soaks."""
Look = Callable[[Services, str, dict[str, Any]], set[str]]


def outcome(
    wave: int, of: int, until: datetime, releases: dict[str, Any], log: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the outcome of a leg whose last wave is soaking.

    Parameters:
        releases: what all apps got so far.
        log: as of `places`.
    """
    reason = f"wave {wave} of {of} soaks until {utc_exact(until)}"
    known = {"wave": wave, "until": until.isoformat(), "releases": releases, "log": dict(log or {})}
    return {"outcome": "soaking", "reason": reason, **known}


def places(services: Services, releases: Collection[str]) -> dict[str, str]:
    """Return how far the log of each app has come: what it tells of later belongs to the soak."""
    works = {app: partial(_place, services, app) for app in releases}
    return {app: place for app, place in side_by_side(services, works).items() if place}


def event(services: Services, stage: str, move: str, soaking: dict[str, Any], delivery_id: str | None) -> Event:
    """Return what goes into the audit log about it; `move` as of `Move`."""
    kept: dict[str, object] = {key: soaking[key] for key in ("wave", "until", "releases", "log") if key in soaking}
    data: dict[str, object] = {"move": move, **kept}
    return services.event(SOAKING, soaking["reason"], stage=stage, delivery_id=delivery_id, data=data)


def last(services: Services, stage: str, move: str, delivery_id: str | None, *, after: int = 0) -> dict[str, Any]:
    """Return where a leg goes on after a soak, as part of its payload; nothing where none has begun.

    Parameters:
        after: the number of an event; what came before it does not count.
    """
    event = last_of(services, stage, move, delivery_id, SOAKING, CRASHED, after=after)
    return {} if event is None else {"soaked": dict(event.data)}


def wait(services: Services, stage: str, move: str, soaked: dict[str, Any], delivery_id: str | None) -> dict[str, Any]:
    """Wait until the soak is over, or a dyno of what soaks has crashed.

    A crash goes into the audit log: whoever goes on knows of it, even if the dyno is up again by then.

    Parameters:
        move: as of `Move`.

    Returns:
        what soaked, and as ``crashed`` of each app why its wave has failed, if one has.
    """
    ends = datetime.fromisoformat(soaked["until"])
    if services.clock() < ends and not soaked.get("crashed"):
        apps = ", ".join(soaked["releases"])
        services.tell("wait", f"wave {soaked['wave']} ({apps}) soaks until {utc_exact(ends)}", leg=stage)
    while True:
        soaked = look(services, stage, move, soaked, delivery_id)
        if (again := next_look(services, soaked)) is None:
            return soaked
        services.pause(max((again - services.clock()).total_seconds(), 0.0))


def look(services: Services, stage: str, move: str, soaked: dict[str, Any], delivery_id: str | None) -> dict[str, Any]:
    """Look once whether a dyno of what soaks has crashed; parameters and result as of `wait`.

    At the end the log is read, too: a dyno is started again at once, so most looks miss one that crashes now and then.
    """
    if soaked.get("crashed"):
        return soaked
    look_at = _lies_crashed if next_look(services, soaked) is not None else _crashed_meanwhile
    if found := _crashed(services, soaked, look_at):
        soaked = {**soaked, "move": move, "crashed": found}
        _note(services, stage, soaked, delivery_id)
    return soaked


def next_look(services: Services, soaked: dict[str, Any]) -> datetime | None:
    """Return when to look again; None once the soak is over, or a dyno of what soaks has crashed."""
    ends, now = datetime.fromisoformat(soaked["until"]), services.clock()
    return None if now >= ends or soaked.get("crashed") else min(ends, now + timedelta(seconds=LOOK_AGAIN))


def _place(services: Services, app: str) -> str:
    with suppress(PlatformError):
        return read_log(services, app, None).newest
    return ""


def _crashed(services: Services, soaked: dict[str, Any], look_at: Look) -> dict[str, str]:
    """Say of each app where a dyno has crashed which; where nobody can tell, the verification after the soak will."""
    looks = {app: partial(look_at, services, app, soaked) for app in soaked["releases"]}
    try:
        found = side_by_side(services, looks)
    except PlatformError:
        return {}
    return {
        app: f"{', '.join(sorted(names))} crashed in {app} while wave {soaked['wave']} soaked"
        for app, names in found.items()
        if names
    }


def _lies_crashed(services: Services, app: str, soaked: dict[str, Any]) -> set[str]:
    return crashed(services, app, soaked["releases"][app]["version"])


def _crashed_meanwhile(services: Services, app: str, soaked: dict[str, Any]) -> set[str]:
    since = soaked.get("log", {}).get(app)
    told = read_log(services, app, since).crashed if since is not None else set()
    return of_formation(services, app, told) | _lies_crashed(services, app, soaked)


def _note(services: Services, stage: str, soaked: dict[str, Any], delivery_id: str | None) -> None:
    text = "; ".join(soaked["crashed"].values())
    services.store.record_event(services.event(CRASHED, text, stage=stage, delivery_id=delivery_id, data=soaked))
    for app, reason in soaked["crashed"].items():
        show_log(services, app, stage)
        services.tell("failed", reason, leg=stage, app=app)
