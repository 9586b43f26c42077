"""App webhooks: signed notices of what happens to an app, to addresses on this machine only."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import httpx

from herodeploy.local import records
from herodeploy.local.lifecycle import sources
from herodeploy.local.state import utcnow
from herodeploy.local.wire.auth import LOOPBACK
from herodeploy.local.wire.errors import invalid
from herodeploy.local.wire.reply import moment

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

ENTITIES = ("api:app", "api:build", "api:formation", "api:release")
"""What this platform tells about."""
SILENT = (
    "api:addon", "api:addon-attachment", "api:collaborator", "api:domain", "api:dyno", "api:sni-endpoint", "dyno",
)  # fmt: skip
"""What Heroku tells about and nothing here does: allowed, never delivered."""
LEVELS = ("notify", "sync")
MOST = 10
PATIENCE = 10.0

_turns: WeakKeyDictionary[Platform, dict[str, asyncio.Lock]] = WeakKeyDictionary()


def attach(platform: Platform) -> None:
    """Deliver from now on."""
    platform.listeners.append(partial(_notify, platform))


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
    now = utcnow()
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
    if parts is None or parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK:
        raise invalid("url must be an http or https address on 127.0.0.1 or localhost: this platform calls no others.")
    return platform.state.webhooks.put(hook)


def _notify(platform: Platform, app: records.App, entity: str, action: str, record: Any) -> None:
    """Send an event to every webhook that asks for it; what it tells is fixed now, the sending takes its time."""
    hooks = [hook for hook in platform.state.webhooks.where(app_id=app.id) if entity in hook.include]
    if not hooks:
        return
    # The API's JSON is what is delivered; api/ imports the life cycles, so it is not there before they are.
    from herodeploy.local.api import webhooks as api

    event = {"id": str(uuid.uuid4()), "include": entity}
    data = api.data(platform, record)
    for hook in hooks:
        body = _body(hook, event, action, data)
        platform.jobs.start(f"webhook:{event['id']}:{hook.id}", _deliver(platform, hook, body))


def _body(hook: records.Webhook, event: dict[str, str], action: str, data: dict[str, Any]) -> bytes:
    from herodeploy.local.api import account

    now = utcnow()
    payload = {
        "id": str(uuid.uuid4()),
        "action": action,
        "actor": account.user(),
        "created_at": now,
        "updated_at": now,
        "published_at": now,
        "data": data,
        "previous_data": {},
        "resource": event["include"].removeprefix("api:"),
        "sequence": None,
        "version": "application/vnd.heroku+json; version=3",
        "webhook_metadata": {
            "attempt": {"id": str(uuid.uuid4())},
            "delivery": {"id": str(uuid.uuid4())},
            "event": event,
            "webhook": {"id": hook.id},
        },
    }
    return json.dumps(payload, default=moment).encode()


async def _deliver(platform: Platform, hook: records.Webhook, body: bytes) -> None:
    """Try once; a webhook's events go one after another, in the order in which they happened."""
    turn = _turns.setdefault(platform, {}).setdefault(hook.id, asyncio.Lock())
    async with turn, httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        try:
            answer = await client.post(hook.url, content=body, headers=_headers(hook, body))
            outcome = None if answer.is_success else f"it answered {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            outcome = type(problem).__name__
    app = platform.state.apps.get(hook.app_id)
    if outcome is not None and app is not None:
        platform.log(app, f"Webhook {hook.id} was not delivered: {outcome}")


def _headers(hook: records.Webhook, body: bytes) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(hook.secret.encode(), body, hashlib.sha256)).decode()
    headers = {
        "Content-Type": "application/json",
        "Heroku-Webhook-Hmac-SHA256": signature,
        "User-Agent": "Heroku-Webhooks",
    }
    return headers | ({"Authorization": hook.authorization} if hook.authorization else {})
