"""What is attached to an app: which config vars add-ons give, and under which names."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.wire.errors import ApiError, invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

FIRST = "DATABASE"
OTHERS = "HEROKU_POSTGRESQL"
COLORS = (
    "AMBER", "AQUA", "BLACK", "BLUE", "BRONZE", "BROWN", "CHARCOAL", "COBALT", "COPPER", "CRIMSON", "CYAN", "GOLD",
    "GRAY", "GREEN", "IVORY", "JADE", "MAROON", "MAUVE", "NAVY", "OLIVE", "ONYX", "ORANGE", "PINK", "PUCE", "PURPLE",
    "RED", "ROSE", "SILVER", "TEAL", "WHITE", "YELLOW",
)  # fmt: skip

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,255}")


def of_app(platform: Platform, app: records.App) -> list[records.AddonAttachment]:
    """Return an app's attachments, oldest first."""
    return platform.state.addon_attachments.where(app_id=app.id)


def of_addon(platform: Platform, addon: records.Addon) -> list[records.AddonAttachment]:
    """Return an add-on's attachments, to whichever app, oldest first."""
    return platform.state.addon_attachments.where(addon_id=addon.id)


def given(platform: Platform, app: records.App) -> dict[str, str]:
    """Return the config vars that an app has from its add-ons."""
    found = ((row, platform.state.addons.get(row.addon_id)) for row in of_app(platform, app))
    return {name: value for row, addon in found if addon for name, value in variables(addon, row.name).items()}


def variables(addon: records.Addon, name: str) -> dict[str, str]:
    """Return the config vars that an attachment of that name sets: ``DATABASE_URL``."""
    return {f"{name}_{key}": value for key, value in addon.config.items()}


def plan_names(platform: Platform, app: records.App) -> list[str]:
    """Return the plans of all that is attached to an app."""
    found = (platform.state.addons.get(row.addon_id) for row in of_app(platform, app))
    return sorted({addon.plan for addon in found if addon})


def after_rollback(platform: Platform, app: records.App, target: records.Release) -> dict[str, str]:
    """Return an earlier release's config vars, with those of add-ons as they are now: add-ons stay."""
    own = {name: value for name, value in target.config.items() if name not in target.addon_vars}
    return own | given(platform, app)


def protect(platform: Platform, app: records.App, wanted: Mapping[str, str]) -> None:
    """Refuse a change of config vars that touches those of add-ons.

    Raises:
        ApiError: 422, in Heroku's words.
    """
    touched = [name for name in given(platform, app) if wanted.get(name) != app.config.get(name)]
    if touched:
        raise invalid(f"Cannot overwrite attachment values {', '.join(touched)}.")


def choose_name(platform: Platform, app: records.App, wanted: str | None) -> str:
    """Return the name of a new attachment: the one that is wanted, ``DATABASE``, or one with a free colour.

    Raises:
        ApiError: 422, the name cannot be one.
    """
    if wanted:
        return as_name(wanted)
    return free_name({*app.config, *(f"{row.name}_URL" for row in of_app(platform, app))})


def as_name(text: str) -> str:
    """Return a text as the name of an attachment: in capitals.

    Raises:
        ApiError: 422, it cannot be one.
    """
    name = text.upper().replace("-", "_")
    if not _NAME.fullmatch(name):
        raise invalid("An attachment's name holds letters, digits and underscores only, and begins with a letter.")
    return name


def free_name(taken: Collection[str]) -> str:
    """Return the name of an attachment whose ``_URL`` is not taken: ``DATABASE``, else one with a colour."""
    free = [name for name in (FIRST, *(f"{OTHERS}_{color}" for color in COLORS)) if f"{name}_URL" not in taken]
    if FIRST in free:
        return FIRST
    return secrets.choice(free) if free else f"{OTHERS}_{secrets.token_hex(4).upper()}"


def check_free(platform: Platform, app: records.App, addon: records.Addon | None, name: str, confirm: str) -> None:
    """Refuse a name that something else has, unless the caller confirms that it may be replaced.

    Raises:
        ApiError: 423 ``confirmation_required``, or 422: the add-on has that very attachment.
    """
    same = next((row for row in of_app(platform, app) if row.name == name), None)
    if same is not None and addon is not None and same.addon_id == addon.id:
        raise invalid(f"{addon.name} is attached to {app.name} as {name} already.")
    if confirm == app.name:
        return
    if same is not None:
        owner = platform.state.addons.get(same.addon_id)
        what = f"{name} is an attachment of {owner.name if owner else 'another add-on'} on {app.name}"
        raise ApiError(423, "confirmation_required", f"{what}; it would be replaced.")
    if f"{name}_URL" in app.config:
        raise ApiError(423, "confirmation_required", f"{app.name} has a config var {name}_URL; it would be replaced.")
