"""herodeploy.yml made true on the platform: the pipeline, its apps, their places in it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from herodeploy.domain.pipeline import Stage
from herodeploy.domain.plan import (
    Action,
    Couple,
    CoupledApp,
    CreateApp,
    CreatePipeline,
    EnableReviewApps,
    Existing,
    Recouple,
    elsewhere,
    plan_apply,
)
from herodeploy.errors import Conflict, InvalidRequest, UsageError
from herodeploy.flows.services import Services

if TYPE_CHECKING:
    from herodeploy.config.appjson import AppJson, EnvVar

SECRET_BYTES = 32


def plan(services: Services) -> list[Action]:
    """Return what `apply` would do; nothing is changed.

    Raises:
        UsageError: an app is in another pipeline, or names are ambiguous.
        ConfigError: app.json cannot be read.
    """
    existing = look(services)
    if strangers := elsewhere(existing):
        raise UsageError(
            f"{', '.join(strangers)}: already in another pipeline, and an app is in one at most",
            hint="take it out first: heroku pipelines:remove -a APP",
        )
    return plan_apply(services.spec, existing)


def apply(services: Services, actions: Sequence[Action]) -> None:
    """Carry out a plan. What is cut half-way is finished by the next plan.

    Raises:
        UsageError: the platform refuses a name.
    """
    _warn_of_addons(services)
    for action in actions:
        services.tell("step", action.text)
        _carry_out(services, action)
        services.tell("done", action.text)
    if actions:
        text = "; ".join(action.text for action in actions)
        services.store.record_event(services.event("pipeline.applied", text))


def look(services: Services) -> Existing:
    """Return what is there of what herodeploy.yml names."""
    pipeline = services.find_pipeline()
    names = [name for stage in services.spec.stages for name in stage.apps]
    found = {name: app for name in names if (app := _coupled(services, name)) is not None}
    enabled = pipeline is not None and services.heroku.review_apps.config(pipeline.id) is not None
    return Existing(
        pipeline_id=pipeline.id if pipeline else None,
        apps=found,
        review_enabled=enabled,
        review_repo=_review_repo(services),
        config=tuple(_given(services)) if len(found) < len(names) else (),
    )


def not_named(services: Services) -> list[str]:
    """Return the pipeline's apps that herodeploy.yml does not name, by name; review apps and test runs are none."""
    pipeline = services.find_pipeline()
    if pipeline is None:
        return []
    couplings = services.heroku.couplings.list(pipeline.id)
    ids = [each.app_id for each in couplings if each.stage not in (Stage.REVIEW, Stage.TEST)]
    named = {name for stage in services.spec.stages for name in stage.apps}
    return sorted(app.name for app in services.heroku.apps.filter(ids) if app.name not in named)


def _coupled(services: Services, name: str) -> CoupledApp | None:
    if services.heroku.apps.find(name) is None:
        return None
    coupling = services.heroku.couplings.of_app(name)
    if coupling is None:
        return CoupledApp(name)
    return CoupledApp(name, coupling.pipeline_id, coupling.id, coupling.stage)


def _review_repo(services: Services) -> str | None:
    """Return what to enable native review apps for: the local platform needs no connection to GitHub."""
    if services.spec.platform != "local" or services.spec.review.strategy == "managed":
        return None
    address = services.repo.remote_url() or ""
    match = re.search(r"[:/]([\w.-]+/[\w.-]+?)(\.git)?/?$", address)
    return match.group(1) if match else f"local/{services.spec.name}"


def _given(services: Services) -> dict[str, EnvVar]:
    """Return the config vars that app.json gives a value to, as it does for every app made from it."""
    return {name: var for name, var in _env(services).items() if var.value is not None or var.generator}


def _env(services: Services) -> dict[str, EnvVar]:
    manifest = _manifest(services)
    return (manifest.env if manifest else None) or {}


def _manifest(services: Services) -> AppJson | None:
    from herodeploy.config import appjson

    file = services.repo.root / "app.json"
    return appjson.parse(file.read_text(encoding="utf-8"), "app.json") if file.is_file() else None


def _warn_of_addons(services: Services) -> None:
    manifest = _manifest(services)
    plans = [addon.plan for addon in (manifest.addons if manifest else None) or ()]
    if plans and services.spec.platform == "local":
        app = services.spec.first.apps[0]
        services.tell(
            "warning",
            f"app.json asks for {', '.join(plans)}; apply creates no add-ons. Create them for each app: "
            f'eval "$(herodeploy local env)"; heroku addons:create {plans[0]} -a {app}. The local platform has '
            f"heroku-postgresql; what others would set, set with: heroku config:set NAME=... -a {app}",
        )


def _carry_out(services: Services, action: Action) -> None:
    heroku = services.heroku
    match action:
        case CreatePipeline(name):
            heroku.pipelines.create(name)
        case CreateApp(app):
            _create_app(services, app)
        case Couple(app, stage):
            heroku.couplings.create(app, services.pipeline().id, stage)
        case Recouple(_, coupling_id, _, stage):
            heroku.couplings.update(coupling_id, stage)
        case EnableReviewApps(repo):
            heroku.review_apps.enable(services.pipeline().id, repo=repo)


def _create_app(services: Services, name: str) -> None:
    try:
        services.heroku.apps.create(name)
    except (InvalidRequest, Conflict) as error:
        raise UsageError(
            f"the platform refuses the app name '{name}': {error.platform_message}",
            hint="choose another one under stages in herodeploy.yml",
        ) from error
    values = {key: var.value or secrets.token_hex(SECRET_BYTES) for key, var in _given(services).items()}
    if values:
        services.heroku.config_vars.update(name, values)
    wanting = [key for key, var in _env(services).items() if var.required and key not in values]
    if wanting:
        example = " ".join(f"{key}=..." for key in wanting)
        services.tell("warning", f"app.json wants more: heroku config:set {example} -a {name}", app=name)
