"""The switch between delivery and deployment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from herodeploy.domain.mode import Mode, ModeChange
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import ConfigError
from herodeploy.flows.services import Services
from herodeploy.gates import approval


def show(services: Services) -> ModeChange:
    """Return the mode in force: who switched to it, when and why; `by` is None for herodeploy.yml's own."""
    pipeline_id = services.pipeline().id
    start = ModeChange(pipeline_id, Mode(services.spec.mode), by=None, at=None, why=None)
    return services.store.mode(pipeline_id) or start


def switch(services: Services, mode: Mode, why: str | None = None) -> ModeChange:
    """Throw the switch; deliveries that wait are looked at again by `deliver.resume`.

    Raises:
        ConfigError: to deployment, where herodeploy.yml wants an approval in either mode; it names the line.
    """
    if mode is Mode.DEPLOYMENT:
        _check_approvals(services)
    change = ModeChange(services.pipeline().id, mode, by=services.actor, at=services.clock(), why=why)
    text = f"switched from {show(services).mode} to {mode}" + (f": {why}" if why else "")
    services.store.set_mode(change, services.event("mode.switched", text, data={"mode": mode.value, "why": why}))
    if mode is Mode.DEPLOYMENT:
        _tell_not_asked(services)
    return change


def _check_approvals(services: Services) -> None:
    for stage, gate in _approvals(services):
        if not gate.options.get("optional", True):
            file, line = gate.place or ("herodeploy.yml", None)
            raise ConfigError(
                f"stages.{stage}.gates has an approval with `optional: false`, which forbids deployment mode",
                file=file,
                line=line,
                hint="remove `optional: false` there, or stay in delivery mode",
            )


def _tell_not_asked(services: Services) -> None:
    """Tell of the approvals that are written, and that nobody is asked for from now on."""
    for stage, gate in _approvals(services):
        place = "{}:{}: ".format(*gate.place) if gate.place else ""
        text = (
            f"the approval before {stage} is not asked for in deployment mode; `optional: false` would forbid the mode"
        )
        services.tell("info", place + text)


def _approvals(services: Services) -> Iterator[tuple[str, GateSpec]]:
    for stage in services.spec.stages:
        for gate in stage.gates:
            if gate.kind == approval.KIND:
                yield stage.name, gate


def mode_json(change: ModeChange) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "mode": change.mode.value,
        "by": change.by,
        "at": change.at.isoformat() if change.at else None,
        "why": change.why,
    }
