"""Review apps that herodeploy makes by app setups: for any git host, no connection to GitHub needed.

Their names are derived from pipeline and branch, so that a branch finds its app again; they carry the same
HEROKU_APP_NAME and HEROKU_BRANCH as native ones.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from herodeploy.domain.change import Change
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import App, Stage
from herodeploy.errors import NotFound, Refused
from herodeploy.flows.native_review import LEG, setup_failure, watch_setup
from herodeploy.flows.services import Services
from herodeploy.flows.waiting import wait_for
from herodeploy.flows.watch import upload

BRANCH_VAR = "HEROKU_BRANCH"
SETTING_UP = "review.setting_up"
"""Kind of the event that names a setup."""
SET_UP_WITHIN = timedelta(minutes=15)
"""A build may take that long; what is there without an artifact after that is no setup under way."""


@dataclass(frozen=True, slots=True)
class ManagedApp:
    """A managed review app and the branch that it says it is of."""

    app: App
    branch: str


def app_name(pipeline_id: str, pipeline: str, branch: str) -> str:
    """Return the name of a branch's app, shaped as Heroku shapes them: at most 30 characters."""
    told_apart = hashlib.sha256(f"{pipeline_id}/{branch}".encode()).hexdigest()[:6]
    short = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:10].strip("-") or "branch"
    return f"{pipeline[:12].strip('-')}-{short}-{told_apart}"


def existing(services: Services, branch: str, begun: Event | None) -> App | None:
    """Return the branch's app, put into the pipeline if that was cut off.

    Parameters:
        begun: the last event of who asked for it, if nobody told what came of it: that setup is waited for, as another
            build beside it would be one too many, and it may fail after the app has got its release.
    """
    name = _name(services, branch)
    if begun is not None:
        _settle(services, name, begun.data.get("setup"))
    app = services.heroku.apps.find(name)
    if app is None or services.heroku.releases.current(app.name) is None:
        return None
    if begun is not None and begun.kind != SETTING_UP:
        _record_setup(services, branch, name, None)
    _couple(services, app.name)
    return app


def _settle(services: Services, name: str, setup_id: object) -> None:
    """Wait until a setup has ended; until its app has an artifact, where its id is not known, as nothing lists them."""
    if isinstance(setup_id, str):
        with suppress(NotFound):
            if services.heroku.app_setups.get(setup_id).status == "pending":
                services.tell("wait", f"{name} is being made", leg=LEG, app=name)
                watch_setup(services, setup_id)
            return
    if not _is_settled(services, name):
        services.tell("wait", f"{name} is being made", leg=LEG, app=name)
        wait_for(services, lambda: _is_settled(services, name) or None, within=SET_UP_WITHIN)


def _is_settled(services: Services, name: str) -> bool:
    """Whether an app has got an artifact, or is not there: a setup that fails takes its app away."""
    try:
        current = services.heroku.releases.current(name)
    except NotFound:
        return True
    return current is not None and current.slug_id is not None


def create(services: Services, change: Change, branch: str) -> App:
    """Make the app of a branch at exactly this commit.

    Raises:
        Refused: the setup failed; the platform has removed the app then.
    """
    name = _name(services, branch)
    env = {"HEROKU_APP_NAME": name, BRANCH_VAR: branch}
    url = upload(services, change.commit)
    setup = services.heroku.app_setups.create(url, change.commit, name, env)
    _record_setup(services, branch, name, setup.id)
    ended = watch_setup(services, setup.id)
    if ended.status != "succeeded":
        raise Refused(f"the review app of {branch} could not be made: {setup_failure(ended)}")
    _couple(services, name)
    return services.heroku.apps.get(name)


def _record_setup(services: Services, branch: str, name: str, setup_id: str | None) -> None:
    """Record which setup makes the app, for who comes after this process; None where that was never heard."""
    data: dict[str, object] = {"branch": branch, "app": name, "setup": setup_id}
    services.store.record_event(services.event(SETTING_UP, f"{name} is being set up", stage=LEG, data=data))


def all_of(services: Services) -> list[ManagedApp]:
    """Return the apps in the pipeline's review stage that say which branch they are of."""
    couplings = services.heroku.couplings.list(services.pipeline().id)
    ids = [coupling.app_id for coupling in couplings if coupling.stage is Stage.REVIEW]
    found = []
    for app in services.heroku.apps.filter(ids):
        branch = services.heroku.config_vars.get(app.name).get(BRANCH_VAR)
        if branch is not None:
            found.append(ManagedApp(app, branch.reveal()))
    return found


def _name(services: Services, branch: str) -> str:
    return app_name(services.pipeline().id, services.spec.name, branch)


def _couple(services: Services, name: str) -> None:
    if services.heroku.couplings.of_app(name) is None:
        services.heroku.couplings.create(name, services.pipeline().id, Stage.REVIEW)
