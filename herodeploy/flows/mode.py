"""The switch between delivery and deployment."""

from __future__ import annotations

from typing import Any

from herodeploy.domain.mode import Mode, ModeChange
from herodeploy.flows.services import Services


def show(services: Services) -> ModeChange:
    """Return the mode in force: who switched to it, when and why; `by` is None for herodeploy.yml's own."""
    pipeline_id = services.pipeline().id
    start = ModeChange(pipeline_id, Mode(services.spec.mode), by=None, at=None, why=None)
    return services.store.mode(pipeline_id) or start


def switch(services: Services, mode: Mode, why: str | None = None) -> ModeChange:
    """Throw the switch; deliveries that wait are looked at again by `deliver.resume`."""
    change = ModeChange(services.pipeline().id, mode, by=services.actor, at=services.clock(), why=why)
    text = f"switched from {show(services).mode} to {mode}" + (f": {why}" if why else "")
    services.store.set_mode(change, services.event("mode.switched", text, data={"mode": mode.value, "why": why}))
    return change


def mode_json(change: ModeChange) -> dict[str, Any]:
    """Return plain JSON values."""
    return {
        "mode": change.mode.value,
        "by": change.by,
        "at": change.at.isoformat() if change.at else None,
        "why": change.why,
    }
