"""App webhooks: who wants to know what of an app, and where; `deliveries` carries it there."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from herodeploy.local import records
from herodeploy.local.lifecycle import sources
from herodeploy.local.wire.auth import LOOPBACK
from herodeploy.local.wire.errors import invalid

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

ENTITIES = (
    "api:addon", "api:addon-attachment", "api:app", "api:build", "api:collaborator", "api:domain", "api:formation",
    "api:release",
)  # fmt: skip
"""What this platform tells about."""
SILENT = ("api:dyno", "api:sni-endpoint", "dyno")
"""What Heroku tells about and nothing here does: allowed, never delivered."""
LEVELS = ("notify", "sync")
MOST = 10


def create_webhook(
    platform: Platform,
    app: records.App,
    *,
    include: Sequence[str],
    level: str,
    url: str,
    secret: str | None = None,
    authorization: str | None = None,
) -> records.Webhook:
    """Subscribe to an app's events.

    Parameters:
        secret: signs every delivery; generated where none is given.
        authorization: sent as the header of that name.

    Raises:
        ApiError: 422, a value that cannot be one, an address off this machine, or the eleventh webhook.
    """
    if len(platform.state.webhooks.where(app_id=app.id)) >= MOST:
        raise invalid(f"An app has {MOST} webhooks at most.")
    now = platform.now()
    hook = records.Webhook(
        id=str(uuid.uuid4()),
        app_id=app.id,
        created_at=now,
        updated_at=now,
        include=list(include),
        level=level,
        url=url,
        secret=secret or secrets.token_hex(30),
        authorization=authorization,
    )
    return save(platform, hook)


def save(platform: Platform, hook: records.Webhook) -> records.Webhook:
    """Record a new or changed webhook.

    Raises:
        ApiError: 422, a value that cannot be one.
    """
    unknown = [name for name in hook.include if name not in (*ENTITIES, *SILENT)]
    if unknown or not hook.include:
        known = ", ".join(sorted((*ENTITIES, *SILENT)))
        raise invalid(f"include must name one or more of: {known}." + (f" Not {unknown[0]!r}." if unknown else ""))
    if hook.level not in LEVELS:
        raise invalid(f"level must be one of: {', '.join(LEVELS)}.")
    parts = sources.split(hook.url)
    hosts = (*LOOPBACK, *platform.settings.webhook_hosts)
    if parts is None or parts.scheme not in ("http", "https") or parts.hostname not in hosts:
        raise invalid(f"url must be an http or https address on {' or '.join(hosts)}: this platform calls no others.")
    return platform.state.webhooks.put(hook)


def remove(platform: Platform, hook: records.Webhook) -> None:
    """Delete a webhook with the log of its deliveries; what waits to be delivered never is."""
    with platform.state.changes():
        platform.state.webhook_deliveries.delete_where(webhook_id=hook.id)
        platform.state.webhooks.delete(hook.id)
