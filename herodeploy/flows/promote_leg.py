"""The leg of a stage that receives promotions: one exact release, wave by wave, each verified before the next."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from herodeploy.engine.port import Run
from herodeploy.flows import soak
from herodeploy.flows.put_back import begun, end, go_on
from herodeploy.flows.services import Services
from herodeploy.flows.verified import subject
from herodeploy.flows.waves import Move, fail_some, failed, move_wave, verify_some


def promote_leg(services: Services, run: Run, payload: dict[str, Any]) -> dict[str, Any]:
    """Carry out the leg of a stage that receives promotions.

    Parameters:
        payload: ``pipeline_id``, ``stage``, ``baseline`` of each app, ``slug_id``, ``source_app_id``,
            ``source_release_id``, ``attempt``, ``move`` (its id), ``delivery_id``; ``looked``, ``cut``,
            ``is_way_back`` and ``locks_before`` as of `Move`; ``soaked`` as of `soak.wait`.

    Returns:
        the outcome, with ``slug_id``, ``source_app_id``, ``source_release_id`` (for the stage after this one) and the
        ``releases`` of the apps; or that of `soak.outcome` or `barred.halted`, after which another leg goes on.
    """
    move = Move.of(payload)
    stage = move.stage
    if (noted := run.step("begin", partial(begun, services, move))) is not None:
        return failed(go_on(services, run, move, noted))
    soaked, many = payload.get("soaked"), len(stage.waves)
    reason = _still_good(services, run, move, soaked) if soaked else None
    for number, wave in enumerate(stage.waves, start=1):
        if reason is not None or (soaked and number <= soaked["wave"]):
            continue
        if many > 1:
            services.tell("step", f"wave {number} of {many}: {', '.join(wave)}", leg=stage.name)
        reason = move_wave(services, run, move, str(number), wave)
        if reason is None and stage.wave_soak is not None and number < many and move.brought(wave):
            # What was there before need not prove itself.
            until = run.step(f"wave {number}: soaks", partial(_soaks_until, services, stage.wave_soak))
            log = run.step(f"wave {number}: log", partial(soak.places, services, move.releases))
            return soak.outcome(number, many, datetime.fromisoformat(until), move.releases, log)
    return end(services, run, move, reason)


def _soaks_until(services: Services, length: timedelta) -> str:
    return (services.clock() + length).isoformat()


def _still_good(services: Services, run: Run, move: Move, soaked: dict[str, Any]) -> str | None:
    """Verify once more what the waves before the soak got, unless it has crashed; return why it is no good, if so."""
    move.releases = soaked["releases"]
    subjects = [subject(services, app, move.baseline[app]["web_url"], got) for app, got in move.releases.items()]
    look = partial(verify_some, services, move, subjects)
    if crashed := soaked.get("crashed"):
        look = partial(fail_some, services, move, crashed)
    reasons = run.step(f"wave {soaked['wave']}: soaked", look)
    return "; ".join(reason for reason in reasons.values() if reason is not None) or None
