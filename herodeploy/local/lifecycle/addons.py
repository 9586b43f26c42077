"""Add-ons come and go: each has a database of its own, and every attachment gives an app its address."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import uuid
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from herodeploy.local import records
from herodeploy.local.lifecycle import addon_plans, addon_releases, attachments
from herodeploy.local.postgres.server import Login, new_login
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.wire.errors import ApiError, invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-zA-Z][A-Za-z0-9_-]+")
_WORDS = ("angular", "clear", "cubic", "curved", "deep", "flat", "globular", "opaque", "parallel", "rigid", "round")
GONE = "deprovisioned"

_turns: WeakKeyDictionary[Platform, WeakValueDictionary[str, asyncio.Lock]] = WeakKeyDictionary()


def all_visible(platform: Platform) -> list[records.Addon]:
    """Return the add-ons that there are, as the API shows them."""
    return [row for row in platform.state.addons if row.state != GONE and platform.state.apps.get(row.app_id)]


def of_app(platform: Platform, app: records.App) -> list[records.Addon]:
    """Return the add-ons that are an app's own or attached to it."""
    attached = {row.addon_id for row in attachments.of_app(platform, app)}
    return [row for row in all_visible(platform) if row.app_id == app.id or row.id in attached]


async def create_addon(
    platform: Platform,
    app: records.App,
    plan: addon_plans.Plan,
    *,
    name: str | None = None,
    attachment: str | None = None,
    confirm: str = "",
) -> records.Addon:
    """Provide an add-on and attach it; the app has its config vars, and a release with them, when this returns.

    Parameters:
        attachment: the first attachment's name; ``DATABASE`` or one with a colour where none is given.
        confirm: the app's name: what has that name already may be replaced.

    Raises:
        ApiError: 422 or 423, a name that is taken or cannot be one; 404, the app went meanwhile.
        Unavailable: there is no PostgreSQL to be had.
    """
    attachments.check_free(platform, app, None, attachments.choose_name(platform, app, attachment), confirm)
    addon = _record(platform, app.id, plan, _checked(platform, name) if name else _free_name(platform))
    await _provide(platform, addon)
    if addon.state == GONE:  # it was destroyed meanwhile, alone or with its app
        discard(platform, addon)
        raise not_found("add-on")
    platform.publish(app, "api:addon", "create", addon)
    try:
        await attach(platform, addon, app, name=attachment, confirm=confirm)
    except ApiError:  # someone else took the name meanwhile
        discard(platform, addon)
        raise
    return addon


async def attach(
    platform: Platform, addon: records.Addon, app: records.App, *, name: str | None = None, confirm: str = ""
) -> records.AddonAttachment:
    """Give an app the config vars of an add-on, in a release.

    Raises:
        ApiError: 422 or 423, the name is taken or cannot be one.
    """
    chosen = attachments.choose_name(platform, app, name)
    attachments.check_free(platform, app, addon, chosen, confirm)
    for old in attachments.of_app(platform, app):
        if old.name == chosen:
            await detach(platform, old)
    if addon.state == GONE or platform.state.apps.get(app.id) is None:
        raise not_found("add-on")
    now = platform.now()
    row = records.AddonAttachment(str(uuid.uuid4()), addon.id, app.id, chosen, now, now)

    def settle() -> None:
        addon.state = "provisioned"
        platform.state.addons.put(addon)
        platform.state.addon_attachments.put(row)

    config = app.config | attachments.variables(addon, chosen)
    await addon_releases.release(platform, app, config, f"Attach {chosen} (@ref:{addon.name})", settle)
    platform.publish(app, "api:addon-attachment", "create", row)
    return row


async def detach(platform: Platform, row: records.AddonAttachment) -> None:
    """Take an add-on's config vars from an app, in a release.

    Raises:
        ApiError: 422, it is the last attachment to the app that owns the add-on.
    """
    addon = platform.state.addons.get(row.addon_id)
    same = platform.state.addon_attachments.where(addon_id=row.addon_id, app_id=row.app_id)
    if addon is not None and addon.app_id == row.app_id and same == [row]:
        raise invalid(f"Cannot destroy last attachment to billing app for resource {addon.name}")
    await addon_releases.detach(platform, row)


async def change_addon(
    platform: Platform, addon: records.Addon, *, name: str | None = None, plan: addon_plans.Plan | None = None
) -> None:
    """Rename an add-on or give it another plan.

    Raises:
        ApiError: 422, the name is taken or cannot be one.
    """
    addon.name = _checked(platform, name) if name and name != addon.name else addon.name
    addon.plan = plan.name if plan else addon.plan
    addon.updated_at = platform.now()
    platform.state.addons.put(addon)
    _publish(platform, addon, "update")


async def configure(platform: Platform, addon: records.Addon, config: dict[str, str]) -> None:
    """Change what an add-on gives; apps that it is attached to get it in a release without a release phase."""
    addon.config = config
    addon.updated_at = platform.now()
    platform.state.addons.put(addon)
    await addon_releases.refresh(platform, {row.app_id for row in attachments.of_addon(platform, addon)})
    _publish(platform, addon, "update")


async def destroy_addon(platform: Platform, addon: records.Addon, *, force: bool = False) -> None:
    """Destroy an add-on with its database, which goes while the caller goes on.

    Parameters:
        force: also when other apps have it attached.

    Raises:
        ApiError: 422, other apps have it attached.
    """
    rows = attachments.of_addon(platform, addon)
    others = {row.app_id for row in rows} - {addon.app_id}
    if others and not force:
        names = sorted(app.name for app in platform.state.apps if app.id in others)
        raise invalid(f"{addon.name} is attached to {', '.join(names)}, too; detach it there or use --force")
    addon.state = GONE
    platform.state.addons.put(addon)
    _publish(platform, addon, "destroy")
    for row in rows:
        await addon_releases.detach(platform, row)
    discard(platform, addon)


async def lend(platform: Platform, owner: str) -> records.Addon:
    """Provide a database without an app, for a test node; its role may make more, as test runners do.

    Raises:
        Unavailable: there is no PostgreSQL to be had.
    """
    addon = _record(platform, owner, addon_plans.DEFAULT, _free_name(platform))
    await _provide(platform, addon, creates=True)
    return addon


def discard(platform: Platform, addon: records.Addon) -> None:
    """Begin to remove an add-on with all that is left of it."""
    addon.state = GONE
    platform.state.addons.put(addon)
    platform.jobs.start(f"addon:{addon.id}", remove(platform, addon))


def forget_app(platform: Platform, app: records.App) -> None:
    """Let go of everything that an app has attached; its own add-ons are to be removed once its dynos have ended."""
    for row in attachments.of_app(platform, app):
        platform.state.addon_attachments.delete(row.id)
    for addon in platform.state.addons.where(app_id=app.id):
        addon.state = GONE
        platform.state.addons.put(addon)


async def remove(platform: Platform, addon: records.Addon) -> None:
    """Detach an add-on everywhere and drop its database; what cannot be dropped now is tried at the next start."""
    for row in attachments.of_addon(platform, addon):
        await addon_releases.detach(platform, row)
    async with _turn(platform, addon):  # it may just be being made
        await _drop(platform, addon)


async def _drop(platform: Platform, addon: records.Addon) -> None:
    if addon.where != platform.postgres.where:
        log.warning("the database of %s stays on %s, which this platform does not use now", addon.name, addon.where)
    else:
        try:
            await (await platform.postgres.admin()).drop(addon.role)
        except Unavailable as problem:
            log.error("the database of %s could not be dropped: %s", addon.name, problem)  # noqa: TRY400 # no bug
            return
    platform.state.addons.delete(addon.id)


async def _provide(platform: Platform, addon: records.Addon, *, creates: bool = False) -> None:
    """Make an add-on's database; nothing is left of the add-on when that fails."""
    login = Login(addon.database, addon.role, new_login().password)
    try:
        async with _turn(platform, addon):
            url = await platform.postgres.create(login, creates=creates)
            addon.config = {"URL": url}
            platform.state.addons.put(addon)
    except Unavailable:
        platform.state.addons.delete(addon.id)
        raise
    except BaseException:
        discard(platform, addon)
        raise


def _turn(platform: Platform, addon: records.Addon) -> asyncio.Lock:
    """Return the lock that keeps an add-on's database from being dropped while it is made."""
    return _turns.setdefault(platform, WeakValueDictionary()).setdefault(addon.id, asyncio.Lock())


def _record(platform: Platform, owner: str, plan: addon_plans.Plan, name: str) -> records.Addon:
    now, login = platform.now(), new_login()
    return platform.state.addons.put(
        records.Addon(
            id=str(uuid.uuid4()),
            app_id=owner,
            name=name,
            plan=plan.name,
            created_at=now,
            updated_at=now,
            where=platform.postgres.where,
            database=login.database,
            role=login.role,
        )
    )


def _publish(platform: Platform, addon: records.Addon, action: str) -> None:
    app = platform.state.apps.get(addon.app_id)
    if app is not None:
        platform.publish(app, "api:addon", action, addon)


def _checked(platform: Platform, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise invalid("Name must start with a letter and can only contain letters, numbers, underscores and dashes.")
    if platform.state.addons.where(name=name):
        raise invalid("Name is already taken")
    return name


def _free_name(platform: Platform) -> str:
    while True:
        name = f"postgresql-{secrets.choice(_WORDS)}-{10_000 + secrets.randbelow(90_000)}"
        if not platform.state.addons.where(name=name):
            return name
