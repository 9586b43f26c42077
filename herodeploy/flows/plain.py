"""Stages as plain JSON values: a leg keeps the stage it was started with, whatever herodeploy.yml says later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from herodeploy.domain.pipeline import Stage, StageSpec, VerifySpec


def stage_to_json(stage: StageSpec) -> dict[str, Any]:
    """Return what a leg needs of a stage."""
    return {
        "name": stage.name,
        "kind": stage.kind.value,
        "apps": list(stage.apps),
        "waves": [list(wave) for wave in stage.waves],
        "verify": _verify_to_json(stage.verify),
        "on_failure": stage.on_failure,
        "wave_soak": stage.wave_soak.total_seconds() if stage.wave_soak is not None else None,
    }


def stage_from_json(value: dict[str, Any]) -> StageSpec:
    """Return the stage that `stage_to_json` wrote; its gates are asked before the leg and not part of it.

    An older herodeploy wrote less: what it did not know has its default.
    """
    return StageSpec(
        name=value["name"],
        kind=Stage(value["kind"]),
        apps=tuple(value["apps"]),
        waves=tuple(tuple(wave) for wave in value["waves"]),
        verify=_verify_from_json(value["verify"]),
        on_failure=value["on_failure"],
        wave_soak=_duration(value.get("wave_soak")),
    )


def _verify_to_json(verify: VerifySpec | None) -> dict[str, Any] | None:
    if verify is None:
        return None
    return {
        "path": verify.path,
        "status": verify.status,
        "within": verify.within.total_seconds(),
        "passes": verify.passes,
        "command": verify.command,
        "timeout": verify.timeout.total_seconds(),
    }


def _verify_from_json(value: dict[str, Any] | None) -> VerifySpec | None:
    if value is None:
        return None
    return VerifySpec(
        value["path"],
        value["status"],
        timedelta(seconds=value["within"]),
        value["passes"],
        value.get("command"),
        _duration(value.get("timeout")) or VerifySpec().timeout,
    )


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
