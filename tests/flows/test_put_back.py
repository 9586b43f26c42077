"""When herodeploy puts the previous release back by itself, when it must not, and what that leaves behind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.two_apps import two_apps

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.progress import Note
from herodeploy.domain.secret import Secret
from herodeploy.errors import PlatformError, Refused
from herodeploy.flows import deliver, locks, mode, promote, rollback
from herodeploy.flows.choose import Wish
from herodeploy.flows.targets import targets
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session

from .conftest import SERVE, TOKEN

Shop = Any


@pytest.fixture
def two(make: Any) -> Shop:
    """Two production apps in one wave, rolled back on failure, in deployment mode; one release delivered."""
    shop = two_apps(make, on_failure="rollback")
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.first = shop.deliver()
    assert shop.first.status is Status.DELIVERED
    return shop


def wants(shop: Shop, page: str) -> None:
    """Let production be verified by another page."""
    staging, production = shop.services.spec.stages
    verify = dataclasses.replace(production.verify, path=f"/{page}", within=timedelta(seconds=1))
    production = dataclasses.replace(production, verify=verify)
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))


def fail(shop: Shop, app: str) -> None:
    """Let web of the next release crash in one app."""
    shop.services.heroku.config_vars.update(app, {"PLACE": "bad"})
    shop.commit(Procfile='web: test "$PLACE" != bad && exec python3 -m http.server "$PORT" --bind 127.0.0.1\n')


def in_waves(shop: Shop) -> None:
    """Let each app of production be a wave of its own."""
    staging, production = shop.services.spec.stages
    production = dataclasses.replace(production, waves=tuple((app,) for app in production.apps))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))


def leaves_the_pipeline(shop: Shop, app: str, *, after: str) -> None:
    """Let the platform refuse promotions to one app, from that moment on when `after` is told."""
    couplings = shop.services.heroku.couplings
    when(shop, after, lambda: couplings.delete(couplings.of_app(app).id))


def when(shop: Shop, told: str, then: Callable[[], object], *, app: str | None = None) -> None:
    """Let something happen once, when that is told, of an app if one is named."""
    report, left = shop.services.report, [then]

    def watched(note: Note) -> None:
        report(note)
        if note.text.startswith(told) and app in (None, note.app) and left:
            left.pop()()

    shop.services.report = watched


def slugs(shop: Shop) -> list[str | None]:
    return [shop.slug(app) for app in shop.services.spec.stages[1].apps]


def test_after_a_rollback_the_stage_is_locked_and_the_commits_are_kept_out(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    between = two.commit("Not delivered by itself")
    fail(two, us)
    failed = two.deliver()
    pipeline_id = failed.pipeline_id

    assert (failed.status, slugs(two)) == (Status.FAILED, [two.first.slug_id] * 2)
    assert failed.reason.count("was put back in") == 2
    assert {target.app: target.status for target in targets(two.services, "production")} == {
        eu: "put back",
        us: "put back",
    }
    [lock] = locks.in_force(two.services, "production")
    assert (lock.by, lock.stage, lock.warning) == ("herodeploy", "production", False)
    assert lock.why.startswith(f"{failed.short} was rolled back: web.1 of v")
    [event] = [each for each in two.services.store.events(pipeline_id) if each.kind == "lock.set"]
    assert event.data == locks.lock_json(lock)
    assert (event.actor, event.delivery_id) == ("herodeploy", failed.id)
    marked = two.services.store.locks
    for commit in (between.commit, failed.commit):
        assert marked.taken_back(pipeline_id, "production", commit).delivery_id == failed.id
    assert marked.taken_back(pipeline_id, "production", two.first.commit) is None
    assert marked.taken_back(pipeline_id, "staging", failed.commit) is None

    two.commit(Procfile='web: exec python3 -m http.server "$PORT" --bind 127.0.0.1\n')
    waiting = two.deliver()
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "production")
    assert "production is locked by herodeploy" in waiting.reason
    locks.unlock(two.services, "production")
    assert [each.status for each in two.resume()] == [Status.DELIVERED]
    assert slugs(two) == [waiting.slug_id] * 2


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_a_person_brings_in_after_all_is_marked_no_longer(two: Shop, by_hand: bool) -> None:
    _, us = two.services.spec.stages[1].apps
    other = two.commit("Not delivered by itself")
    fail(two, us)
    failed = two.deliver()
    two.services.heroku.config_vars.update(us, {"PLACE": "good"})
    locks.unlock(two.services, "production")
    if by_hand:
        promote.promote(two.services)
    else:
        waiting = two.deliver(two.services.repo.head(), retry=True)
        assert f"{failed.short} was taken back" in waiting.reason
        assert two.advance(deliver.approve(two.services, waiting.id)).status is Status.DELIVERED
    marked = two.services.store.locks.taken_back
    for commit in (failed.commit, other.commit):
        assert marked(failed.pipeline_id, "production", commit) is None
    assert two.deliver(two.services.repo.head(), retry=True).status is Status.DELIVERED


def test_what_is_let_in_by_itself_leaves_the_marks_of_others(two: Shop) -> None:
    fail(two, two.services.spec.stages[1].apps[0])
    failed = two.deliver()
    locks.unlock(two.services, "production")
    two.commit(Procfile=f"web: {SERVE}\n")
    assert two.deliver().status is Status.DELIVERED
    assert two.services.store.locks.taken_back(failed.pipeline_id, "production", failed.commit) is not None
    assert "hold.lifted" not in two.kinds()


def test_a_plan_says_what_would_not_be_put_back(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    [(version, _)] = two.versions(two.app("staging"))[-1:]
    two.commit(index_dot_html="two\n")
    mode.switch(two.services, Mode.DELIVERY, None)
    two.deliver()
    assert promote.plan(two.services, Wish()).then[-1] == "where that fails, every app gets its previous release back"
    two.services.store.forget_verified(two.first.pipeline_id, "production", two.first.slug_id)
    had = {app: two.services.heroku.releases.current(app).version for app in (eu, us)}
    assert promote.plan(two.services, Wish()).then[-1] == (
        "where that fails, every app gets its previous release back, but none does once it has taken the place of "
        f"v{had[eu]} of {eu} or v{had[us]} of {us}, which was never verified in production"
    )
    promote.promote(two.services)
    back = promote.plan(two.services, Wish(release=f"v{version}"))
    assert (back.then[0], back.then[-1]) == (
        "automatic promotion into production pauses, as it is older than what is there",
        "where that fails, nothing is put back, as this is itself the way back",
    )
    assert back.to_json()["is_way_back"] is True


def test_a_rollback_by_hand_goes_past_what_failed_and_was_put_back(two: Shop) -> None:
    two.commit(index_dot_html="two\n")
    assert two.deliver().status is Status.DELIVERED
    fail(two, two.services.spec.stages[1].apps[0])
    assert two.deliver().status is Status.FAILED
    rollback.rollback(two.services, "production")
    assert slugs(two) == [two.first.slug_id] * 2


def test_what_was_never_verified_here_is_not_gone_back_to(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    two.services.store.forget_verified(two.first.pipeline_id, "production", two.first.slug_id)
    fail(two, us)
    failed = two.deliver()
    assert failed.status is Status.FAILED
    assert f"of {eu} and v" in failed.reason
    assert "was never verified in production" in failed.reason
    assert "herodeploy rollback production" in failed.reason
    assert slugs(two) == [failed.slug_id] * 2, "left as it is, in both apps"
    assert not locks.in_force(two.services, "production")
    assert two.services.store.locks.taken_back(failed.pipeline_id, "production", failed.commit) is None


def test_a_way_back_by_hand_is_never_rolled_back(two: Shop) -> None:
    version = two.versions(two.app("staging"))[-1][0]
    two.commit(two_dot_html="two\n")
    second = two.deliver()
    assert second.status is Status.DELIVERED
    wants(two, "two.html")
    with pytest.raises(Refused, match="this was itself the way back to an older release"):
        promote.promote(two.services, wish=Wish(release=f"v{version}"))
    assert slugs(two) == [two.first.slug_id] * 2
    assert not locks.in_force(two.services, "production")


def test_a_platform_that_breaks_during_verification_is_no_reason_to_go_back(two: Shop, local: Any) -> None:
    _, us = two.services.spec.stages[1].apps
    control = local._running.control
    hasty = two.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    hasty.commit(index_dot_html="two\n")
    fault = control.fault("error", f"GET /apps/{us}/dynos", count=None)
    with pytest.raises(PlatformError):
        hasty.deliver()
    control.clear_faults(fault["id"])

    [errored] = hasty.services.store.open_deliveries(two.first.pipeline_id)
    assert (errored.status, errored.at_stage) == (Status.ERRORED, "production")
    assert slugs(hasty) == [errored.slug_id] * 2, "nothing is put back"
    assert not locks.in_force(hasty.services, "production")
    before = hasty.versions(us)
    assert [each.status for each in hasty.resume()] == [Status.DELIVERED]
    assert hasty.versions(us) == before, "nor promoted once more"


def test_a_log_that_cannot_be_read_takes_no_reason_away(two: Shop, local: Any) -> None:
    _, us = two.services.spec.stages[1].apps
    control = local._running.control
    hasty = two.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    fail(hasty, us)
    fault = control.fault("error", f"POST /apps/{us}/log-sessions", count=None)
    failed = hasty.deliver()
    control.clear_faults(fault["id"])

    assert failed.status is Status.FAILED
    assert failed.reason.startswith("web.1 of v")
    assert slugs(hasty) == [two.first.slug_id] * 2
    [warning] = [text for text in hasty.told("warning") if "log of" in text]
    assert warning.startswith(f"the log of {us} cannot be shown: ")


def test_a_second_wave_that_the_platform_refuses_puts_the_first_back(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    in_waves(two)
    before = two.versions(us)
    leaves_the_pipeline(two, us, after="wave 2 of 2")
    two.commit(index_dot_html="two\n")
    failed = two.deliver()

    assert failed.status is Status.FAILED
    assert f"refuses to promote to {us}" in failed.reason
    assert failed.reason.count("was put back in") == 1
    assert slugs(two) == [two.first.slug_id] * 2
    assert two.versions(us) == before, "what got nothing is left alone"
    assert {target.app: target.status for target in targets(two.services, "production")} == {
        eu: "put back",
        us: "failed",
    }
    [lock] = locks.in_force(two.services, "production")
    assert f"refuses to promote to {us}" in lock.why
    taken_back = two.services.store.locks.taken_back
    assert taken_back(failed.pipeline_id, "production", failed.commit).delivery_id == failed.id


def test_a_second_wave_that_is_refused_by_hand_puts_the_first_back(two: Shop) -> None:
    _, us = two.services.spec.stages[1].apps
    mode.switch(two.services, Mode.DELIVERY, None)
    in_waves(two)
    two.commit(index_dot_html="two\n")
    assert two.deliver().status is Status.WAITING
    leaves_the_pipeline(two, us, after="wave 2 of 2")
    with pytest.raises(Refused, match=rf"refuses to promote to {us}.*was put back in") as refused:
        promote.promote(two.services)
    assert refused.value.hint == "see what each app got: herodeploy targets production"
    assert slugs(two) == [two.first.slug_id] * 2
    assert locks.in_force(two.services, "production")


def test_what_the_platform_refuses_to_the_other_apps_of_the_first_stage_is_put_back(make: Any) -> None:
    shop = make(applied=False)
    staging, production = shop.services.spec.stages
    apps = (*staging.apps, f"{shop.services.spec.name}-other")
    staging = dataclasses.replace(staging, apps=apps, waves=(apps,), on_failure="rollback")
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    shop.apply()
    first = shop.deliver()
    leaves_the_pipeline(shop, apps[1], after="verifying")
    shop.commit(index_dot_html="two\n")
    failed = shop.deliver()
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    assert f"refuses to promote to {apps[1]}" in failed.reason
    assert [shop.slug(app) for app in apps] == [first.slug_id] * 2
    assert locks.in_force(shop.services, "staging")


def hotfix(shop: Shop, app: str, *, when_told: str = "verifying") -> None:
    """Let somebody else put the first artifact into an app while its newest release is verified."""
    releases = shop.services.heroku.releases
    [first] = [each for each in releases.list(app) if each.slug_id == shop.first.slug_id]
    before = shop.slug(app)

    def act() -> None:
        assert shop.slug(app) != before, "the delivery's release is there by now"
        releases.rollback(app, first.id)

    when(shop, when_told, act, app=app)


def test_what_somebody_else_released_meanwhile_is_left_alone(two: Shop) -> None:
    eu, _ = two.services.spec.stages[1].apps
    two.commit(index_dot_html="two\n")
    second = two.deliver()
    hotfix(two, eu)
    two.commit(index_dot_html="three\n")
    failed = two.deliver()

    version = two.versions(eu)[-1][0]
    assert failed.status is Status.FAILED
    assert slugs(two) == [two.first.slug_id, second.slug_id], "the hotfix stays, and the other app goes back"
    said = f"{eu} is left as it is: v{version} there is somebody else's"
    assert said in failed.reason
    assert said in two.told("warning")
    [event] = [each for each in two.services.store.events(failed.pipeline_id) if each.kind == "promotion.failed"]
    assert said in event.text
    assert targets(two.services, "production")[1].status == "put back"
    [lock] = locks.in_force(two.services, "production")
    assert failed.short in lock.why


def test_a_release_of_somebody_else_that_fails_keeps_nothing_from_going_back(two: Shop, tmp_path: Path) -> None:
    eu, us = two.services.spec.stages[1].apps
    begun, end = tmp_path / "begun", tmp_path / "end"
    waits = f"test ! -e {begun} || {{ until test -e {end}; do sleep 0.05; done; exit 1; }}"
    two.commit(Procfile=f"web: {SERVE}\nrelease: {waits}\n")
    two.first = two.deliver()
    two.commit(Procfile=f"web: {SERVE}\n")
    second = two.deliver()
    fail(two, us)
    when(two, "verifying", begun.touch)
    hotfix(two, eu)
    version = two.versions(eu)[-1][0] + 2
    when(two, f"v{version} is under way", end.touch, app=eu)
    failed = two.deliver()

    assert failed.reason.count("was put back in") == 2
    assert slugs(two) == [second.slug_id] * 2
    assert [status for number, status in two.versions(eu) if number >= version] == ["failed", "succeeded"]


def test_where_every_app_has_something_newer_nothing_is_put_back_and_nothing_locked(make: Any) -> None:
    shop = make()
    staging, production = shop.services.spec.stages
    production = dataclasses.replace(production, on_failure="rollback")
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.first = shop.deliver()
    shop.commit(index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    [app] = production.apps
    hotfix(shop, app)
    shop.commit(index_dot_html="three\n")
    failed = shop.deliver()
    assert failed.status is Status.FAILED
    assert "is left as it is" in failed.reason
    assert shop.slug(app) == shop.first.slug_id
    assert not locks.in_force(shop.services, "production")
    assert shop.services.store.locks.taken_back(failed.pipeline_id, "production", failed.commit) is None


@pytest.mark.parametrize(
    "broken",
    ["POST /apps/{us}/releases", "GET /apps/{us}/releases/{{id}}", "GET /apps/{eu}/slugs/{slug}"],
    ids=["the rollback", "its release", "the commit that it has again"],
)
def test_a_platform_that_breaks_on_the_way_back_leaves_the_stage_locked(two: Shop, local: Any, broken: str) -> None:
    eu, us = two.services.spec.stages[1].apps
    control = local._running.control
    hasty = two.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    fail(hasty, us)
    route = broken.format(eu=eu, us=us, slug=two.first.slug_id)
    when(hasty, "putting v", lambda: control.fault("error", route, count=None))
    with pytest.raises(PlatformError):
        hasty.deliver()
    control.clear_faults()

    [errored] = hasty.services.store.open_deliveries(two.first.pipeline_id)
    assert errored.status is Status.ERRORED
    [lock] = locks.in_force(hasty.services, "production")
    assert lock.why.startswith(f"{errored.short} was rolled back: web.1 of v")
    assert [each.status for each in hasty.resume()] == [Status.FAILED]
    assert slugs(hasty) == [two.first.slug_id] * 2
    assert hasty.kinds().count("lock.set") == 1
    assert hasty.services.store.locks.taken_back(errored.pipeline_id, "production", errored.commit)


def test_what_a_person_promotes_again_while_it_is_on_its_way_back_stays(two: Shop, local: Any) -> None:
    eu, us = two.services.spec.stages[1].apps
    control = local._running.control
    hasty = two.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    fail(hasty, us)
    when(hasty, "putting v", lambda: control.fault("error", f"POST /apps/{us}/releases", count=None))
    with pytest.raises(PlatformError):
        hasty.deliver()
    control.clear_faults()
    [errored] = hasty.services.store.open_deliveries(two.first.pipeline_id)
    promote.promote(hasty.services, wish=Wish(only=(eu,)), override="eu runs it well")
    version = hasty.versions(eu)[-1][0]

    [failed] = hasty.resume()
    assert failed.status is Status.FAILED
    assert f"{eu} is left as it is: v{version} there is somebody else's" in failed.reason
    assert slugs(hasty) == [errored.slug_id, two.first.slug_id]


def test_a_promotion_by_hand_whose_way_back_was_cut_passes_its_own_lock(two: Shop, local: Any) -> None:
    _, us = two.services.spec.stages[1].apps
    control = local._running.control
    hasty = two.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    mode.switch(hasty.services, Mode.DELIVERY, None)
    fail(hasty, us)
    hasty.deliver()
    when(hasty, "putting v", lambda: control.fault("error", f"POST /apps/{us}/releases", count=None))
    with pytest.raises(PlatformError):
        promote.promote(hasty.services)
    control.clear_faults()
    assert locks.in_force(hasty.services, "production")
    with pytest.raises(Refused, match=r"crashed in .* was put back in .* was put back in"):
        promote.promote(hasty.services)
    assert slugs(hasty) == [two.first.slug_id] * 2
    with pytest.raises(Refused, match=r"lock: production is locked by herodeploy"):
        promote.promote(hasty.services)


def test_what_has_begun_to_go_back_goes_on_whatever_is_known_of_it_by_then(two: Shop) -> None:
    _, us = two.services.spec.stages[1].apps
    fail(two, us)

    def cut() -> None:
        raise KeyboardInterrupt

    when(two, "putting v", cut)
    with pytest.raises(KeyboardInterrupt):
        two.deliver()
    two.services.store.forget_verified(two.first.pipeline_id, "production", two.first.slug_id)
    again = two.like()
    [failed] = again.resume()
    assert failed.reason.count("was put back in") == 2
    assert slugs(again) == [two.first.slug_id] * 2
