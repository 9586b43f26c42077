"""Review apps: an app of its own for a branch, made by the platform (native) or by herodeploy (managed)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from herodeploy.domain.change import Change, ReviewApp
from herodeploy.domain.event import Event
from herodeploy.domain.pipeline import App
from herodeploy.errors import Forbidden, NotFound, Refused, UsageError
from herodeploy.flows import managed_review, native_review
from herodeploy.flows.deploy import find_build, start_build
from herodeploy.flows.managed_review import ManagedApp
from herodeploy.flows.services import Services
from herodeploy.flows.verify import Subject, answers_at_all, show_log, verify
from herodeploy.flows.watch import release_of_build, watch_build, watch_release

LEG = "review"
BEGUN = ("review.creating", managed_review.SETTING_UP)
KINDS = (*BEGUN, "review.created", "review.destroying", "review.destroyed")
ANSWERS_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """One review app.

    Parameters:
        status: the platform's: pending, creating, created, errored, deleting, deleted.
        commit: what runs in it, where known.
        strategy: native or managed.
    """

    branch: str
    app: str | None
    url: str | None
    status: str
    commit: str | None
    created_at: datetime | None
    strategy: str
    message: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"created_at": self.created_at.isoformat() if self.created_at else None}


def create(services: Services, change: Change) -> ReviewView:
    """Make the review app of a branch, or build a newer commit in the one it has; wait until it answers.

    Raises:
        Refused: it could not be made, its build or release phase failed, or it does not answer.
        UsageError: the change names no branch.
    """
    branch = change.branch
    if branch is None:
        raise UsageError(f"{change.short} is on no branch", hint="name one: herodeploy review create --branch BRANCH")
    strategy = strategy_of(services)
    services.tell("leg", f"review app of {branch} at {change.short}", leg=LEG)
    existing = _existing(services, branch, strategy)
    if existing is None:
        _check_room(services)
        app = _make(services, change, branch, strategy)
    else:
        app = existing
        _build_newer(services, app, change)
    _wait_until_it_answers(services, app)
    text = f"review app of {branch} at {change.short}: {app.name}"
    services.store.record_event(
        services.event("review.created", text, stage=LEG, data={"branch": branch, "app": app.name})
    )
    services.tell("done", f"{app.name} answers at {services.address(app)}", leg=LEG, app=app.name)
    return ReviewView(branch, app.name, services.address(app), "created", change.commit, app.created_at, strategy)


def list_(services: Services) -> list[ReviewView]:
    """Return the pipeline's review apps, native ones first."""
    pipeline_id = services.pipeline().id
    native = services.heroku.review_apps.list(pipeline_id)
    views = [_native_view(services, review_app) for review_app in native]
    known = {review_app.app_id for review_app in native}
    return views + [
        _managed_view(services, each) for each in managed_review.all_of(services) if each.app.id not in known
    ]


def destroy(services: Services, branch_or_app: str) -> ReviewView:
    """Destroy the review app of a branch, or of that name, and wait until it is gone.

    Raises:
        UsageError: there is none.
    """
    for view in list_(services):
        if branch_or_app in (view.branch, view.app):
            break
    else:
        cut = _cut(services, branch_or_app)
        if cut is None:
            raise UsageError(f"no review app of '{branch_or_app}'", hint="see: herodeploy review list")
        # The platform did it, and whoever asked for it was cut before that was recorded.
        view = ReviewView(cut["branch"], cut["app"], None, "deleted", None, None, cut["strategy"])
        _record_destroyed(services, view, None)
        return view
    destroy_view(services, view)
    return view


def destroy_view(services: Services, view: ReviewView, why: str | None = None) -> None:
    """Destroy a review app that `list_` told of, and wait until it is gone."""
    what = f"destroying {view.app or 'the review app of ' + view.branch}"
    services.tell("step", what, leg=LEG, app=view.app)
    if _cut(services, view.branch) is None:
        services.store.record_event(services.event("review.destroying", what, stage=LEG, data=_named(view)))
    if view.strategy == "native":
        native_review.destroy(services, view.branch)
    elif view.app is not None:
        services.heroku.apps.delete(view.app)
    _record_destroyed(services, view, why)


def _record_destroyed(services: Services, view: ReviewView, why: str | None) -> None:
    text = f"destroyed {view.app or view.branch}" + (f": {why}" if why else "")
    services.store.record_event(services.event("review.destroyed", text, stage=LEG, data=_named(view)))
    services.tell("done", f"{view.app or view.branch} is gone", leg=LEG, app=view.app)


def _named(view: ReviewView) -> dict[str, object]:
    return {"branch": view.branch, "app": view.app, "strategy": view.strategy}


def _cut(services: Services, branch_or_app: str) -> dict[str, Any] | None:
    """Return branch, app and strategy of the review app whose destruction was begun and never told as done."""
    last = _last(services, {"branch": branch_or_app, "app": branch_or_app})
    return dict(last.data) if last is not None and last.kind == "review.destroying" else None


def _last(services: Services, said: dict[str, str]) -> Event | None:
    return services.store.audit.last(services.pipeline().id, LEG, KINDS, said=said)


def strategy_of(services: Services) -> str:
    """Return native or managed; `auto` is native where the platform has review apps enabled for the pipeline."""
    wanted = services.spec.review.strategy
    if wanted != "auto":
        return wanted
    enabled = services.heroku.review_apps.config(services.pipeline().id) is not None
    return "native" if enabled else "managed"


def _existing(services: Services, branch: str, strategy: str) -> App | None:
    if strategy == "native":
        return native_review.existing(services, branch)
    return managed_review.existing(services, branch, _begun(services, branch))


def _begun(services: Services, branch: str) -> Event | None:
    """Return the last event of who asked for a review app, if nobody told what came of it."""
    last = _last(services, {"branch": branch})
    return last if last is not None and last.kind in BEGUN else None


def _make(services: Services, change: Change, branch: str, strategy: str) -> App:
    if _begun(services, branch) is None:
        text = f"making the review app of {branch} at {change.short}"
        services.store.record_event(services.event("review.creating", text, stage=LEG, data={"branch": branch}))
    make = native_review.create if strategy == "native" else managed_review.create
    return make(services, change, branch)


def _check_room(services: Services) -> None:
    most = services.spec.review.max
    if most is not None and (count := len(list_(services))) >= most:
        raise Refused(
            f"there are {count} review apps, and herodeploy.yml allows {most} (review.max)",
            hint="destroy one: herodeploy review destroy BRANCH",
        )


def _build_newer(services: Services, app: App, change: Change) -> None:
    current = services.heroku.releases.current(app.name)
    slug_id = current.slug_id if current else None
    if slug_id is not None and services.slug(app.name, slug_id).commit == change.commit:
        services.tell("info", f"{app.name} has {change.short} already", leg=LEG, app=app.name)
        return
    services.tell("step", f"building {change.short}", leg=LEG, app=app.name)
    known = {build.id for build in services.heroku.builds.list(app.name)}
    build_id = find_build(services, app.name, change.commit, known=known)
    build_id = build_id or start_build(services, app.name, change.commit, change.message)
    build = watch_build(services, app.name, build_id, LEG)
    release_id = release_of_build(services, app.name, build) if build.status == "succeeded" else None
    if release_id is None:
        raise Refused(f"the build of {change.short} failed in {app.name}; what it had keeps serving")
    release = watch_release(services, app.name, release_id, LEG)
    if release.status != "succeeded":
        raise Refused(f"the release phase of v{release.version} failed in {app.name}; what it had keeps serving")


def _wait_until_it_answers(services: Services, app: App) -> None:
    release = services.heroku.releases.current(app.name)
    if release is None:
        raise Refused(f"{app.name} has no release")
    spec = services.spec.first.verify
    if reason := verify(services, Subject(app.name, app.web_url, release.version, release.slug_id), spec, leg=LEG):
        raise Refused(reason)
    serves_web = any(line.type == "web" and line.quantity for line in services.heroku.formation.list(app.name))
    if spec is None and serves_web and answers_at_all(services, app, ANSWERS_WITHIN) is None:
        show_log(services, app.name, LEG)
        raise Refused(f"{app.name} does not answer within {ANSWERS_WITHIN.total_seconds():.0f}s")


def _native_view(services: Services, review_app: ReviewApp) -> ReviewView:
    app = _app(services, review_app.app_id)
    return ReviewView(
        branch=review_app.branch,
        app=app.name if app else None,
        url=services.address(app) if app else None,
        status=review_app.status,
        commit=_commit(services, app),
        created_at=review_app.created_at,
        strategy="native",
        message=review_app.message,
    )


def _managed_view(services: Services, managed: ManagedApp) -> ReviewView:
    app = managed.app
    return ReviewView(
        managed.branch, app.name, services.address(app), "created", _commit(services, app), app.created_at, "managed"
    )


def _app(services: Services, app_id: str | None) -> App | None:
    if app_id is None:
        return None
    try:
        return services.heroku.apps.get(app_id)
    except (NotFound, Forbidden):
        return None


def _commit(services: Services, app: App | None) -> str | None:
    if app is None:
        return None
    try:
        current = services.heroku.releases.current(app.name)
        return services.heroku.slugs.get(app.name, current.slug_id).commit if current and current.slug_id else None
    except NotFound:
        return None
