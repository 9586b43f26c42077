"""What a promotion would meet: upstream, the slug and the targets, side by side. Of config vars only the names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from herodeploy.domain.delivery import Delivery
from herodeploy.domain.gate import Question
from herodeploy.domain.pipeline import App
from herodeploy.domain.release import Release, Slug
from herodeploy.errors import NotFound, RepositoryError
from herodeploy.flows.services import Services
from herodeploy.gates.preflight import LOOK_AGAIN, findings, is_migration

Data = dict[str, Any]


def look(services: Services, delivery: Delivery, question: Question) -> Mapping[str, object]:
    """Return what is compared; the delivery has passed the stage before.

    It takes a dozen calls and more. While another gate waits anyway, as a soak that looks each minute, what was clear a
    short time ago is not looked at again.
    """
    stage, before = question.facts.stage, question.previous
    if before is not None and before.data and question.facts.waits and _is_fresh(before.data, question):
        return before.data
    source = services.heroku.apps.get(delivery.source_app_id or "")
    release = services.heroku.releases.get(source.name, delivery.source_release_id or "")
    slug = _slug(services, release)
    targets = [services.heroku.apps.get(app) for app in stage.apps]
    return {
        "looked_at": question.now.isoformat(),
        "commit": delivery.commit,
        "upstream": _upstream(services, source, release),
        "slug": {"process_types": sorted(slug.process_types), "stack": slug.stack} if slug else None,
        "targets": [_target(services, app, delivery.commit, question.spec.options) for app in targets],
    }


def _is_fresh(data: Mapping[str, Any], question: Question) -> bool:
    if question.now >= datetime.fromisoformat(data["looked_at"]) + LOOK_AGAIN:
        return False
    return all(each.level != "block" for each in findings(data, question.spec.options))


def _upstream(services: Services, app: App, release: Release) -> Data:
    return {
        **_common(services, app),
        "release": _release(release),
        "current": _release(services.heroku.releases.current(app.name)),
        "addons": [
            {"service": addon.service, "config_vars": list(addon.config_vars)}
            for addon in services.heroku.addons.list(app.name)
        ],
    }


def _target(services: Services, app: App, commit: str, options: Mapping[str, Any]) -> Data:
    current = services.heroku.releases.current(app.name)
    slug = _slug(services, current) if current else None
    before = slug.commit if slug else None
    empty = current is None or current.slug_id is None
    return {
        **_common(services, app),
        "maintenance": app.maintenance,
        "build_stack": app.build_stack,
        "addons": sorted({addon.service for addon in services.heroku.addons.list(app.name)}),
        "commit": before,
        "migrations": [] if empty else _migrations(services, before, commit, options),
    }


def _common(services: Services, app: App) -> Data:
    return {
        "app": app.name,
        "stack": app.stack,
        "buildpacks": services.heroku.buildpacks.list(app.name),
        "config": services.heroku.config_vars.names(app.name),
        "formation": {line.type: line.quantity for line in services.heroku.formation.list(app.name)},
    }


def _release(release: Release | None) -> Data | None:
    if release is None:
        return None
    return {"version": release.version, "status": release.status, "slug_id": release.slug_id}


def _slug(services: Services, release: Release) -> Slug | None:
    """Return a release's slug; None where it has none, or it is gone with its release's expiry."""
    if release.slug_id is None:
        return None
    try:
        return services.heroku.slugs.get(release.app_name, release.slug_id)
    except NotFound:
        return None


def _migrations(services: Services, before: str | None, commit: str, options: Mapping[str, Any]) -> list[str] | None:
    """Return the migrations between two commits; None where that cannot be told."""
    if before is None:
        return None
    try:
        return [path for path in services.repo.changed(before, commit) if is_migration(path, options)]
    except RepositoryError:
        return None
