"""What webhooks are told: one event for each thing that happens, one delivery for each webhook that asks for it.

A webhook's deliveries go one after another, in the order in which things happened. ``notify`` tries once; ``sync``
tries again, later and later, until it succeeds or the event is 72 hours old (Heroku's changelog, item 2525).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx

from herodeploy.local import records
from herodeploy.local.wire.reply import moment

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

PATIENCE = 10.0
LIFE = timedelta(hours=72)
LONGEST_PAUSE = 3600.0
KEPT = 200
"""Events an app, the newest; their deliveries go with them."""
OPEN = ("pending", "retrying")


def attach(platform: Platform) -> None:
    """Deliver from now on, and go on with what the platform's death cut off."""
    platform.listeners.append(partial(_notify, platform))
    for hook in platform.state.webhooks:
        if _next(platform, hook) is not None:
            _start(platform, hook)


def _notify(platform: Platform, app: records.App, entity: str, action: str, record: Any) -> None:
    """Write an event down for every webhook that asks for it; what it tells is fixed now, sending takes its time."""
    hooks = [hook for hook in platform.state.webhooks.where(app_id=app.id) if entity in hook.include]
    if not hooks:
        return
    # The API's JSON is what is delivered; api/ imports the life cycles, so it is not there before they are.
    from herodeploy.local.api import webhooks as api

    event = _event(platform, app, entity, action, api.data(platform, record))
    if (entity, action) == ("api:app", "destroy"):  # the log of deliveries goes with the app
        platform.jobs.start(f"webhook:{event.id}", _say_last(platform, hooks, event))
        return
    with platform.state.changes():
        platform.state.webhook_events.put(event)
        for hook in hooks:
            platform.state.webhook_deliveries.put(_delivery(hook, event))
        _forget_oldest(platform, app)
    for hook in hooks:
        _start(platform, hook)


async def _say_last(platform: Platform, hooks: list[records.Webhook], event: records.WebhookEvent) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
        for hook in hooks:
            delivery = _delivery(hook, event)
            await _post(client, hook, _body(hook, event, delivery, str(uuid.uuid4()), platform.now()))


def _event(
    platform: Platform, app: records.App, entity: str, action: str, data: dict[str, Any]
) -> records.WebhookEvent:
    plain = json.loads(json.dumps(data, default=moment))
    now = platform.now()
    return records.WebhookEvent(
        id=str(uuid.uuid4()),
        app_id=app.id,
        include=entity,
        action=action,
        created_at=now,
        updated_at=now,
        data=plain,
        previous_data=_changed(platform, app, entity, plain) if action == "update" else {},
    )


def _changed(platform: Platform, app: records.App, entity: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return what the keys that changed were when this thing was last told about."""
    told = [row.data for row in platform.state.webhook_events.where(app_id=app.id, include=entity)]
    none: dict[str, Any] = {}
    before = next((row for row in reversed(told) if row.get("id") == data.get("id")), none)
    return {key: value for key, value in before.items() if key != "updated_at" and data.get(key) != value}


def _delivery(hook: records.Webhook, event: records.WebhookEvent) -> records.WebhookDelivery:
    return records.WebhookDelivery(
        id=str(uuid.uuid4()),
        app_id=hook.app_id,
        webhook_id=hook.id,
        event_id=event.id,
        include=event.include,
        created_at=event.created_at,
        updated_at=event.created_at,
    )


def _forget_oldest(platform: Platform, app: records.App) -> None:
    for event in platform.state.webhook_events.where(app_id=app.id)[:-KEPT]:
        platform.state.webhook_deliveries.delete_where(event_id=event.id)
        platform.state.webhook_events.delete(event.id)


def _start(platform: Platform, hook: records.Webhook) -> None:
    key = f"webhook:{hook.id}"
    if not platform.jobs.running(key):
        platform.jobs.start(key, _deliver_all(platform, hook))


async def _deliver_all(platform: Platform, hook: records.Webhook) -> None:
    """Deliver what waits, oldest first; one that is to be tried again holds the later ones up."""
    while _next(platform, hook) is not None:  # something may come while the client of the last ones is closed
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            while (delivery := _next(platform, hook)) is not None:
                if delivery.next_attempt_at is not None:
                    await platform.clock.until(delivery.next_attempt_at)
                if platform.state.webhook_deliveries.get(delivery.id) is not None:
                    await _attempt(platform, client, delivery)


def _next(platform: Platform, hook: records.Webhook) -> records.WebhookDelivery | None:
    rows = platform.state.webhook_deliveries.where(webhook_id=hook.id)
    return next((row for row in rows if row.status in OPEN), None)


async def _attempt(platform: Platform, client: httpx.AsyncClient, delivery: records.WebhookDelivery) -> None:
    hook = platform.state.webhooks.get(delivery.webhook_id)
    event = platform.state.webhook_events.get(delivery.event_id)
    if hook is None or event is None:
        platform.state.webhook_deliveries.delete(delivery.id)
        return
    began, attempt = platform.now(), str(uuid.uuid4())
    body = _body(hook, event, delivery, attempt, began)
    code, problem = await _post(client, hook, body)
    delivery.num_attempts += 1
    delivery.last_attempt = {
        "id": attempt,
        "code": code,
        "error_class": problem,
        "status": "succeeded" if problem is None else "failed",
        "created_at": moment(began),
        "updated_at": moment(platform.now()),
    }
    _settle(platform, hook, event, delivery)
    # The app, and the log of deliveries with it, may have gone meanwhile.
    if platform.state.webhook_deliveries.get(delivery.id) is not None:
        platform.state.webhook_deliveries.put(delivery)


async def _post(client: httpx.AsyncClient, hook: records.Webhook, body: bytes) -> tuple[int | None, str | None]:
    """Return the answer's status, and what was wrong with it or the way there."""
    try:
        answer = await client.post(hook.url, content=body, headers=_headers(hook, body))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
        return None, type(problem).__name__
    return answer.status_code, None if answer.is_success else "UnexpectedStatus"


def _settle(
    platform: Platform, hook: records.Webhook, event: records.WebhookEvent, delivery: records.WebhookDelivery
) -> None:
    now = platform.now()
    delivery.updated_at = now
    delivery.next_attempt_at = None
    last = delivery.last_attempt or {}
    if last["status"] == "succeeded":
        delivery.status = "succeeded"
    elif hook.level == "sync" and now < event.created_at + LIFE:
        delivery.status = "retrying"
        pause = min(platform.settings.webhook_pause * 2 ** (delivery.num_attempts - 1), LONGEST_PAUSE)
        delivery.next_attempt_at = platform.clock.exactly() + timedelta(seconds=pause)
    else:
        delivery.status = "failed"
    app = platform.state.apps.get(hook.app_id)
    if app is not None and last["status"] == "failed":
        outcome = f"it answered {last['code']}" if last["code"] is not None else last["error_class"]
        platform.log(app, f"Webhook {hook.id} was not delivered: {outcome}")


def _body(
    hook: records.Webhook, event: records.WebhookEvent, delivery: records.WebhookDelivery, attempt: str, now: Any
) -> bytes:
    from herodeploy.local.api import account

    payload = {
        "id": str(uuid.uuid4()),
        "action": event.action,
        "actor": account.user(),
        "created_at": event.created_at,
        "updated_at": event.updated_at,
        "published_at": now,
        "data": event.data,
        "previous_data": event.previous_data,
        "resource": event.include.removeprefix("api:"),
        "sequence": None,
        "version": "application/vnd.heroku+json; version=3",
        "webhook_metadata": {
            "attempt": {"id": attempt},
            "delivery": {"id": delivery.id},
            "event": {"id": event.id, "include": event.include},
            "webhook": {"id": hook.id},
        },
    }
    return json.dumps(payload, default=moment).encode()


def _headers(hook: records.Webhook, body: bytes) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(hook.secret.encode(), body, hashlib.sha256)).decode()
    headers = {
        "Content-Type": "application/json",
        "Heroku-Webhook-Hmac-SHA256": signature,
        "User-Agent": "Heroku-Webhooks",
    }
    return headers | ({"Authorization": hook.authorization} if hook.authorization else {})
