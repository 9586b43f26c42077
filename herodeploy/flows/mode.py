"""The switch between delivery and deployment."""

from __future__ import annotations

from typing import Any

from herodeploy.domain.mode import Mode, ModeChange
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
    return change


def _check_approvals(services: Services) -> None:
    for stage in services.spec.stages:
        for gate in stage.gates:
            if gate.kind == approval.KIND and not gate.options.get("optional", True):
                file, line = gate.place or ("herodeploy.yml", None)
                raise ConfigError(
                    f"stages.{stage.name}.gates has an approval with `optional: false`, which forbids deployment mode",
                    file=file,
                    line=line,
                    hint="remove `optional: false` there, or stay in delivery mode",
                )


def mode_json(change: ModeChange) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "mode": change.mode.value,
        "by": change.by,
        "at": change.at.isoformat() if change.at else None,
        "why": change.why,
    }
