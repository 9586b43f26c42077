"""Where a delivery begins: which change may be delivered, and whether it is under way or delivered already."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from herodeploy.domain.change import Change
from herodeploy.domain.delivery import TEST_LEG, Delivery, Status, delivery_id
from herodeploy.errors import Refused, RepositoryError, UsageError
from herodeploy.flows.services import Services
from herodeploy.flows.verdicts import failed_at_gate, rejection

RECENT = 20


def start_delivery(services: Services, change: Change, *, retry: bool = False) -> Delivery:
    """Return the delivery of a change: one that is open, one that is delivered still, or a new one.

    The delivery of a newer commit that contains it carries it along: two jobs of a CI service may come in either order,
    and the older one must not take the newer one's place.

    Parameters:
        retry: begin anew, too, where the commit's last delivery failed in a leg or was rejected: a person wants it
            tried again.

    Raises:
        Refused: it failed in a leg or was rejected, and nobody asks to try again.
        UsageError: the commit is not on the branch that herodeploy.yml delivers from.
    """
    pipeline = services.pipeline()
    _check_branch(services, change)
    opened = services.store.open_deliveries(pipeline.id)
    if (carries := _own(services, change, opened) or _of_a_newer(services, change, opened)) is not None:
        return carries
    if not retry:
        _check_failed(services, change)
    _check_apps(services)
    now = services.clock()
    delivery = Delivery(
        id=delivery_id(now, secrets.token_hex(1)[0]),
        pipeline_id=pipeline.id,
        pipeline=pipeline.name,
        commit=change.commit,
        branch=change.branch,
        message=change.message,
        author=change.author,
        status=Status.RUNNING,
        at_stage=TEST_LEG,
        attempt=1,
        created_at=now,
        updated_at=now,
        asked_by=services.actor,
    )
    text = f"delivering {delivery.short}"
    event = services.event("delivery.created", text, delivery_id=delivery.id, stage=TEST_LEG)
    return services.store.add_delivery(delivery, event)


def _check_failed(services: Services, change: Change) -> None:
    """Refuse a commit that the tests, the platform, a verification or a person said no to.

    What another gate said no to may begin anew: it may say otherwise by now.
    """
    last = next(iter(services.store.find_deliveries(services.pipeline().id, change.commit)), None)
    if last is None or last.status is not Status.FAILED:
        return
    if failed_at_gate(services, last) and rejection(services, last) is None:
        return
    raise Refused(
        f"{change.short} failed at {last.at_stage} as {last.id} and is not tried again by itself: {last.reason}",
        hint=f"commit a change, or try the same once more: herodeploy deliver --retry {change.short}",
    )


def _check_branch(services: Services, change: Change) -> None:
    wanted = services.spec.first.branch
    if wanted is not None and change.branch != wanted and not _is_wanted(services, change.commit):
        first = services.spec.first.name
        raise UsageError(
            f"{change.short} is not on '{wanted}', the branch that herodeploy.yml delivers from",
            hint=f"merge it into {wanted}, or try it in a review app: herodeploy review create"
            if any(_is_there(services, ref) for ref in _refs(wanted))
            else f"there is no such branch here; write the one that is meant under stages.{first}.branch, or fetch it",
        )


def _is_wanted(services: Services, commit: str) -> bool:
    """Whether a commit is on the branch that is delivered, if one is named."""
    wanted = services.spec.first.branch
    return wanted is None or any(_is_on(services, commit, branch) for branch in _refs(wanted))


def _refs(branch: str) -> tuple[str, str]:
    return branch, f"origin/{branch}"


def _is_there(services: Services, ref: str) -> bool:
    try:
        services.repo.resolve(ref)
    except RepositoryError:
        return False
    return True


def _is_on(services: Services, commit: str, ref: str) -> bool:
    try:
        return services.repo.is_ancestor(commit, services.repo.resolve(ref).commit)
    except RepositoryError:
        return False


def _check_apps(services: Services) -> None:
    couplings = services.heroku.couplings.list(services.pipeline().id)
    there = {app.name for app in services.heroku.apps.filter([coupling.app_id for coupling in couplings])}
    missing = [app for stage in services.spec.stages for app in stage.apps if app not in there]
    if missing:
        raise UsageError(f"not in the pipeline yet: {', '.join(missing)}", hint="herodeploy apply")


def _own(services: Services, change: Change, opened: Sequence[Delivery]) -> Delivery | None:
    """Return the delivery of this very commit, if it is open or delivered still."""
    for delivery in opened:
        if delivery.commit == change.commit:
            return delivery
    found = _delivered_still(services, lambda each: each.commit == change.commit)
    if found is not None:
        services.tell("info", f"{change.short} is delivered already, as {found.id}")
    return found


def _of_a_newer(services: Services, change: Change, opened: Sequence[Delivery]) -> Delivery | None:
    """Return the delivery of a newer commit that contains this one, if it is open or delivered still."""
    for delivery in opened[: -RECENT - 1 : -1]:
        if _contains(services, delivery, change):
            services.tell("info", f"{change.short} is part of {delivery.short}, which {delivery.id} carries")
            return delivery
    found = _delivered_still(services, lambda each: _contains(services, each, change))
    if found is not None:
        services.tell("info", f"{change.short} is delivered already, as part of {found.short}, as {found.id}")
    return found


def _delivered_still(services: Services, meant: Callable[[Delivery], bool]) -> Delivery | None:
    recent = services.store.deliveries(services.pipeline().id, limit=RECENT)
    found = [each for each in recent if each.status is Status.DELIVERED and meant(each)]
    if not found:
        return None
    releases = [services.heroku.releases.current(app) for app in services.spec.stages[-1].apps]
    runs = {release.slug_id if release is not None else None for release in releases}
    return next((each for each in found if runs == {each.slug_id}), None)


def _contains(services: Services, delivery: Delivery, change: Change) -> bool:
    """Whether a delivery carries a change; not where its commit is unknown in this clone, or on its branch no more."""
    return _is_on(services, change.commit, delivery.commit) and _is_wanted(services, delivery.commit)
