"""The releases that add-ons make in apps: attached, detached, updated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import addon_plans, attachments, releases

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform


async def release(
    platform: Platform,
    app: records.App,
    config: dict[str, str],
    description: str,
    beside: Callable[[], None] | None = None,
    *,
    run_phase: bool = True,
) -> None:
    """Release an app's code with other config vars.

    Parameters:
        beside: writes that become true together with the release.
    """
    current = platform.current_release(app)
    await releases.release(
        platform,
        app,
        slug_id=current.slug_id if current else None,
        config=config,
        description=description,
        run_phase=run_phase,
        keep_code=True,
        beside=beside,
    )


async def detach(platform: Platform, row: records.AddonAttachment) -> None:
    """Take an add-on's config vars from an app, whatever that means for the add-on."""
    addon, app = platform.state.addons.get(row.addon_id), platform.state.apps.get(row.app_id)
    if addon is None or app is None:
        platform.state.addon_attachments.delete(row.id)
        return
    names = attachments.variables(addon, row.name)
    config = {name: value for name, value in app.config.items() if name not in names}
    platform.publish(app, "api:addon-attachment", "destroy", row)

    def settle() -> None:
        platform.state.addon_attachments.delete(row.id)

    await release(platform, app, config, f"Detach {row.name} (@ref:{addon.name})", settle)


async def refresh(platform: Platform, app_ids: set[str]) -> None:
    """Release what add-ons give to these apps where that has changed; the release phase does not run."""
    for app in [row for row in platform.state.apps if row.id in app_ids]:
        now = attachments.given(platform, app)
        stale = {row.name: row for row in attachments.of_app(platform, app)}
        current = platform.current_release(app)
        gone = set(current.addon_vars if current else ()) - set(now)
        config = {name: value for name, value in app.config.items() if name not in gone} | now
        if config != app.config:
            description = f"Update {', '.join(stale)} by {addon_plans.POSTGRES}"
            await release(platform, app, config, description, run_phase=False)
