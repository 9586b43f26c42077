"""Add-ons when the platform starts: their PostgreSQL runs again, and what was half made or half gone is gone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from herodeploy.local import records
from herodeploy.local.lifecycle import addon_releases, addons
from herodeploy.local.postgres.server import OWN
from herodeploy.local.postgres.unavailable import Unavailable

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

log = logging.getLogger(__name__)


def recover(platform: Platform) -> None:
    """Give up what was half made, or belongs to nothing, when the platform died."""
    for addon in platform.state.addons:
        if addon.state == "provisioning" or platform.state.apps.get(addon.app_id) is None:
            addon.state = addons.GONE
            platform.state.addons.put(addon)
    for row in platform.state.addon_attachments:
        if platform.state.addons.get(row.addon_id) is None or platform.state.apps.get(row.app_id) is None:
            platform.state.addon_attachments.delete(row.id)


async def resume(platform: Platform) -> None:
    """Start the PostgreSQL that add-ons live in, before dynos need it, and drop what is to go."""
    kept = [row for row in addons.all_visible(platform) if row.where == platform.postgres.where]
    try:
        if kept and platform.postgres.where == OWN:
            await _readdress(platform, kept)
    except Unavailable as problem:
        log.error("add-ons are without a database: %s", problem)  # noqa: TRY400 # it is no bug of ours
        for app in {row.app_id: platform.state.apps.get(row.app_id) for row in kept}.values():
            if app is not None:
                platform.log(app, f"heroku-postgresql is not available: {problem}")
    for addon in platform.state.addons.where(state=addons.GONE):
        addons.discard(platform, addon)


async def _readdress(platform: Platform, rows: list[records.Addon]) -> None:
    """Tell apps where their database is now: the server listens elsewhere once its port was taken."""
    admin = await platform.postgres.admin()
    for addon in rows:
        parts = urlsplit(addon.config["URL"])
        if parts.port != admin.door:
            login = parts.netloc.rpartition("@")[0]
            addon.config = addon.config | {"URL": parts._replace(netloc=f"{login}@{admin.host}:{admin.door}").geturl()}
            platform.state.addons.put(addon)
    await addon_releases.refresh(platform, {row.app_id for row in platform.state.addon_attachments})
