"""App webhooks, and what their deliveries carry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import Route

from herodeploy.local import records
from herodeploy.local.api import account, addon_attachments, addons, apps, builds, find, releases, routing
from herodeploy.local.lifecycle import webhooks as life
from herodeploy.local.wire import ranges, reply
from herodeploy.local.wire.errors import invalid, not_found

if TYPE_CHECKING:
    from herodeploy.local.platform import Platform

KEYS = ("created_at", "id")
LOG_KEYS = (*KEYS, ranges.SEQUENCE)


def routes(platform: Platform) -> list[Route]:
    """Return the endpoints of webhooks."""
    return [
        routing.route(platform, "GET", "/apps/{app}/webhooks", index),
        routing.route(platform, "POST", "/apps/{app}/webhooks", create),
        routing.route(platform, "GET", "/apps/{app}/webhooks/{webhook}", show),
        routing.route(platform, "PATCH", "/apps/{app}/webhooks/{webhook}", update),
        routing.route(platform, "DELETE", "/apps/{app}/webhooks/{webhook}", destroy),
        routing.route(platform, "GET", "/apps/{app}/webhook-events", events),
        routing.route(platform, "GET", "/apps/{app}/webhook-events/{event}", show_event),
        routing.route(platform, "GET", "/apps/{app}/webhook-deliveries", deliveries),
        routing.route(platform, "GET", "/apps/{app}/webhook-deliveries/{delivery}", show_delivery),
    ]


def render(platform: Platform, hook: records.Webhook) -> dict[str, Any]:
    """Return a webhook's JSON, which never holds its secret."""
    app = platform.state.apps.get(hook.app_id)
    return {
        "app": {"id": hook.app_id, "name": app.name if app else ""},
        "created_at": hook.created_at,
        "id": hook.id,
        "include": hook.include,
        "level": hook.level,
        "updated_at": hook.updated_at,
        "url": hook.url,
    }


def render_event(event: records.WebhookEvent) -> dict[str, Any]:
    """Return an event's JSON."""
    return {
        "created_at": event.created_at,
        "id": event.id,
        "include": event.include,
        "payload": {
            "action": event.action,
            "actor": account.user(),
            "data": event.data,
            "previous_data": event.previous_data,
            "resource": event.include.removeprefix("api:"),
            "version": "application/vnd.heroku+json; version=3",
        },
        "updated_at": event.updated_at,
    }


def render_delivery(platform: Platform, row: records.WebhookDelivery) -> dict[str, Any]:
    """Return a delivery's JSON."""
    hook = platform.state.webhooks.get(row.webhook_id)
    return {
        "created_at": row.created_at,
        "event": {"id": row.event_id, "include": row.include},
        "id": row.id,
        "last_attempt": row.last_attempt,
        "next_attempt_at": row.next_attempt_at,
        "num_attempts": row.num_attempts,
        "status": row.status,
        "updated_at": row.updated_at,
        "webhook": {"id": row.webhook_id, "level": hook.level if hook else "notify"},
    }


def data(platform: Platform, record: Any) -> dict[str, Any]:
    """Return what a delivery tells about a record: its JSON and what Heroku adds to it."""
    match record:
        case records.App():
            return apps.render(platform, record)
        case records.Release():
            return releases.render(platform, record) | _code(platform, record)
        case records.Addon():
            return addons.render(platform, record)
        case records.AddonAttachment():
            return addon_attachments.render(platform, record)
        case records.Build():
            return builds.render(platform, record) | _result(platform, record)
    return dict(record)


async def index(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/webhooks."""
    app = find.path_app(platform, request)
    rows = platform.state.webhooks.where(app_id=app.id)
    return ranges.page(request, rows, lambda row: render(platform, row), KEYS)


async def create(platform: Platform, request: Request) -> reply.Reply:
    """POST /apps/:app/webhooks; the secret comes back once, in a header."""
    app = find.path_app(platform, request)
    values = await routing.body(request)
    hook = life.create_webhook(
        platform,
        app,
        include=_include(values),
        level=routing.needed(values, "level"),
        url=routing.needed(values, "url"),
        secret=_header_value(values, "secret"),
        authorization=_header_value(values, "authorization"),
    )
    return reply.Reply(render(platform, hook), 201, {"Heroku-Webhook-Secret": hook.secret})


async def show(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/webhooks/:webhook."""
    return render(platform, _path_webhook(platform, request))


async def update(platform: Platform, request: Request) -> Any:
    """PATCH /apps/:app/webhooks/:webhook."""
    hook = _path_webhook(platform, request)
    values = await routing.body(request)
    changed = replace(
        hook,
        include=_include(values) if "include" in values else hook.include,
        level=routing.text(values, "level") or hook.level,
        url=routing.text(values, "url") or hook.url,
        secret=_header_value(values, "secret") or hook.secret,
        authorization=_header_value(values, "authorization") if "authorization" in values else hook.authorization,
        updated_at=platform.now(),
    )
    return render(platform, life.save(platform, changed))


async def destroy(platform: Platform, request: Request) -> Any:
    """DELETE /apps/:app/webhooks/:webhook."""
    hook = _path_webhook(platform, request)
    life.remove(platform, hook)
    return render(platform, hook)


async def events(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/webhook-events."""
    app = find.path_app(platform, request)
    return ranges.page(request, platform.state.webhook_events.where(app_id=app.id), render_event, LOG_KEYS)


async def show_event(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/webhook-events/:event."""
    app = find.path_app(platform, request)
    found = platform.state.webhook_events.get(request.path_params["event"])
    if found is None or found.app_id != app.id:
        raise not_found("webhook event")
    return render_event(found)


async def deliveries(platform: Platform, request: Request) -> reply.Reply:
    """GET /apps/:app/webhook-deliveries."""
    app = find.path_app(platform, request)
    rows = platform.state.webhook_deliveries.where(app_id=app.id)
    return ranges.page(request, rows, lambda row: render_delivery(platform, row), LOG_KEYS)


async def show_delivery(platform: Platform, request: Request) -> Any:
    """GET /apps/:app/webhook-deliveries/:delivery."""
    app = find.path_app(platform, request)
    found = platform.state.webhook_deliveries.get(request.path_params["delivery"])
    if found is None or found.app_id != app.id:
        raise not_found("webhook delivery")
    return render_delivery(platform, found)


def _code(platform: Platform, row: records.Release) -> dict[str, Any]:
    slug = platform.state.slugs.get(row.slug_id)
    if slug is None:
        return {"stack": None}
    code = {"id": slug.id, "commit": slug.commit, "commit_description": slug.commit_description}
    return {"slug": code, "stack": account.stack(slug.stack)}


def _result(platform: Platform, build: records.Build) -> dict[str, Any]:
    row = platform.state.releases.get(build.release_id)
    return {
        "slug": {"id": build.slug_id, "commit": build.version} if build.slug_id else None,
        "release": {"id": row.id, "version": row.version} if row else None,
    }


def _include(values: dict[str, Any]) -> list[str]:
    found = values.get("include")
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise invalid("include must be a list of entities, such as api:release.")
    return found


def _header_value(values: dict[str, Any], key: str) -> str | None:
    """Return a text that will travel in a header; 422 when it cannot."""
    found = routing.text(values, key)
    if found is not None and not (found.isascii() and found.isprintable()):
        raise invalid(f"{key} must be plain printable ASCII.")
    return found


def _path_webhook(platform: Platform, request: Request) -> records.Webhook:
    app = find.path_app(platform, request)
    found = platform.state.webhooks.get(request.path_params["webhook"])
    if found is None or found.app_id != app.id:
        raise not_found("webhook")
    return found
