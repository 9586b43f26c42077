"""Promotion in waves, and putting back what was there."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, Stage, StageSpec, VerifySpec
from herodeploy.errors import Busy, Refused, UsageError
from herodeploy.flows import deliver, mode, promote, rollback, status

Shop = Any
FILES = {
    "Procfile": 'web: test "$BROKEN" != yes && exec python3 -m http.server "$PORT" --bind 127.0.0.1\n'
    'release: test "$UNREADY" != yes\n'
}


@pytest.fixture
def two(make: Any) -> Shop:
    """Two production apps in two waves, in deployment mode, rolled back on failure; one release delivered."""
    shop = make(FILES, applied=False)
    staging, production = shop.services.spec.stages
    name = shop.services.spec.name
    apps = (f"{name}-eu", f"{name}-us")
    production = dataclasses.replace(production, apps=apps, waves=(apps[:1], apps[1:]), on_failure="rollback")
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    assert shop.deliver().status is Status.DELIVERED
    return shop


def test_a_failed_wave_puts_the_previous_release_back_everywhere(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    good = two.slug(eu)
    two.services.heroku.config_vars.update(us, {"BROKEN": "yes"})
    two.services.heroku.config_vars.update(us, {"BROKEN": None})
    two.commit(Procfile=FILES["Procfile"].replace("exec", 'test "$PLACE" != us && exec'))
    two.services.heroku.config_vars.update(us, {"PLACE": "us"})

    failed = two.deliver()

    assert (failed.status, failed.at_stage) == (Status.FAILED, "production")
    assert "crashed" in failed.reason
    assert failed.reason.count("was put back") == 2
    assert (two.slug(eu), two.slug(us)) == (good, good)
    assert [each.state for each in two.services.heroku.dynos.list(us)] == ["up"]


def test_a_failed_release_phase_in_the_second_wave_puts_the_first_back(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    good = two.slug(eu)
    two.commit(Procfile=FILES["Procfile"].replace('"$UNREADY"', '"$PLACE$UNREADY"').replace("!= yes\n", "!= us\n"))
    two.services.heroku.config_vars.update(us, {"PLACE": "us"})

    failed = two.deliver()

    assert failed.status is Status.FAILED
    assert "release command failed; v" in failed.reason
    assert "keeps serving" in failed.reason
    assert failed.reason.count("was put back") == 1
    assert (two.slug(eu), two.slug(us)) == (good, good)
    assert two.versions(us)[-1][1] == "failed"


def test_promote_is_the_push_button_alone(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no release to promote"):
        promote.promote(shop.services)
    waiting = shop.deliver()
    view = promote.promote(shop.services)
    assert (view.stage, view.commit, view.source_app) == ("production", waiting.commit, shop.app("staging"))
    assert shop.slug(shop.app("production")) == waiting.slug_id
    assert shop.services.store.delivery(waiting.id).status is Status.DELIVERED
    assert not view.already
    versions, kinds = shop.versions(shop.app("production")), shop.kinds()
    shop.notes.clear()
    again = promote.promote(shop.services)
    assert (again.already, again.apps) == (True, view.apps)
    assert shop.versions(shop.app("production")) == versions, "what is there already is not promoted again"
    assert shop.kinds() == kinds, "nor recorded again"
    assert shop.told("leg") == [f"production has {again.source_app} v{again.release_version} already"]
    assert not any("released" in text or "promot" in text for text in shop.told("done") + shop.told("step"))


def test_a_promotion_by_hand_that_fails_is_refused(make: Any) -> None:
    shop = make(FILES)
    shop.deliver()
    shop.services.heroku.config_vars.update(shop.app("production"), {"UNREADY": "yes"})
    with pytest.raises(Refused, match="release command failed"):
        promote.promote(shop.services)
    assert shop.kinds()[-1] == "promotion.failed"
    assert shop.services.store.occupant(shop.services.pipeline().id, "production") is None


def test_rollback_goes_further_back_each_time(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    production = shop.app("production")
    slugs = []
    for page in ("one\n", "two\n", "three\n"):
        shop.commit(index_dot_html=page)
        slugs.append(shop.deliver().slug_id)
    before = len(shop.versions(production))

    view = rollback.rollback(shop.services, "production", why="three is bad")
    assert shop.slug(production) == slugs[1]
    assert len(shop.versions(production)) == before + 1
    assert view.apps[0].version == view.apps[0].from_version + 1
    rollback.rollback(shop.services, "production")
    assert shop.slug(production) == slugs[0], "what was rolled back from is passed over"
    rollback.rollback(shop.services, "production", f"v{view.apps[0].from_version}")
    assert shop.slug(production) == slugs[2]
    rollback.rollback(shop.services, "production", shop.git("rev-parse", "HEAD~1"))
    assert shop.slug(production) == slugs[1]


def test_what_was_promoted_again_after_a_rollback_is_gone_back_to(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.deliver()
    shop.commit(index_dot_html="two\n")
    second = shop.deliver().slug_id
    rollback.rollback(shop.services, "production")
    promote.promote(shop.services)
    shop.commit(index_dot_html="three\n")
    shop.deliver()
    rollback.rollback(shop.services, "production")
    assert shop.slug(shop.app("production")) == second


def test_the_newest_verification_of_an_artifact_counts(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.deliver()
    shop.commit(index_dot_html="two\n", two_dot_html="two\n")
    shop.deliver()
    assert verified(shop) == [True, True]
    spec = shop.services.spec

    wants_two = VerifySpec(path="/two.html", within=timedelta(seconds=1), passes=1)
    shop.services.spec = dataclasses.replace(
        spec, stages=tuple(dataclasses.replace(stage, verify=wants_two) for stage in spec.stages)
    )
    for stage in ("staging", "production"):
        with pytest.raises(Refused, match=r"answered 404 to GET /two\.html"):
            rollback.rollback(shop.services, stage)
    assert verified(shop) == [False, False]
    with pytest.raises(Refused, match="answered 404"):
        promote.promote(shop.services)
    assert "has not passed verification in staging" in shop.told("warning")[-1]

    shop.services.spec = spec
    version = shop.versions(shop.app("production"))[-1][0]
    rollback.rollback(shop.services, "production", f"v{version - 1}")
    rollback.rollback(shop.services, "production", f"v{version}")
    assert verified(shop) == [False, True], "a rollback that is verified is recorded as that"


def test_what_was_put_back_and_does_not_answer_is_not_verified(two: Shop) -> None:
    eu, us = two.services.spec.stages[1].apps
    good = two.slug(eu)
    staging, production = two.services.spec.stages
    wants_two = dataclasses.replace(staging.verify, path="/two.html", within=timedelta(seconds=1))
    production = dataclasses.replace(production, verify=wants_two, waves=((eu, us),))
    two.services.spec = dataclasses.replace(two.services.spec, stages=(staging, production))
    two.commit(index_dot_html="two\n")
    failed = two.deliver()
    assert failed.reason.count("was put back as") == 2
    assert two.slug(us) == good
    assert verified(two) == [True, False, False]


def verified(shop: Shop) -> list[bool]:
    """Whether what serves is verified, of each app."""
    return [app.verified for stage in status.snapshot(shop.services).stages for app in stage.apps]


def test_a_rollback_that_one_app_refuses_ends_as_refused_and_is_recorded(
    two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    eu, us = two.services.spec.stages[1].apps
    good = two.slug(eu)
    two.commit(index_dot_html="two\n")
    bad = two.deliver().slug_id
    releases = two.services.heroku.releases
    post = releases.rollback
    # v1 has no artifact: the platform really says no.
    monkeypatch.setattr(releases, "rollback", lambda app, release: post(app, "v1" if app == us else release))

    with pytest.raises(Refused, match=rf"could not be put back in {us}: "):
        rollback.rollback(two.services, "production")

    assert (two.slug(eu), two.slug(us)) == (good, bad)
    event = two.services.store.events(two.services.pipeline().id)[0]
    assert (event.kind, event.stage) == ("rollback.failed", "production")
    assert us in event.text
    with pytest.raises(UsageError, match=f"{eu} has no earlier good release") as refused:
        rollback.rollback(two.services, "production")
    earlier = [each for each in releases.list(eu) if each.slug_id is not None and not each.current]
    named = ", ".join(f"v{each.version}" for each in earlier)
    told = f"put one of these back nevertheless, {named}: herodeploy rollback production --to VERSION"
    assert refused.value.hint == told
    assert two.slug(eu) == good, "what was rolled back from does not come back"


def test_a_rollback_that_was_cut_is_carried_on_as_it_was_meant(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    eu, us = two.services.spec.stages[1].apps
    slugs = [two.slug(eu)]
    for page in ("two\n", "three\n"):
        two.commit(index_dot_html=page)
        slugs.append(two.deliver().slug_id)
    before = len(two.versions(eu))
    releases = two.services.heroku.releases
    post = releases.rollback

    def cut(app: str, release: str) -> Any:
        if app == us:
            raise KeyboardInterrupt
        return post(app, release)

    monkeypatch.setattr(releases, "rollback", cut)
    with pytest.raises(KeyboardInterrupt):
        rollback.rollback(two.services, "production")
    monkeypatch.undo()

    rollback.rollback(two.like().services, "production")
    assert [two.slug(eu), two.slug(us)] == [slugs[1], slugs[1]]
    assert len(two.versions(eu)) == before + 1, "put back once"


def test_nothing_to_roll_back_to_is_said(shop: Shop) -> None:
    with pytest.raises(UsageError, match="never been deployed"):
        rollback.rollback(shop.services, "production")
    with pytest.raises(UsageError, match="no stage 'prod'"):
        rollback.rollback(shop.services, "prod")
    shop.deliver()
    with pytest.raises(UsageError, match="no earlier good release"):
        rollback.rollback(shop.services, "staging")


def test_a_stage_that_another_delivery_holds_is_left_alone(shop: Shop) -> None:
    waiting = shop.deliver()
    pipeline_id = shop.services.pipeline().id
    shop.services.store.occupy(pipeline_id, "staging", waiting.id, shop.services.clock())
    shop.commit(index_dot_html="two\n")
    with pytest.raises(Busy, match=waiting.id):
        shop.deliver()
    deliver.reject(shop.services, waiting.id)
    assert shop.deliver().status is Status.WAITING, "the row of one that is over holds nobody up"


def test_three_stages_of_several_apps_all_get_the_one_slug(make: Any) -> None:
    shop = make(applied=False)
    name = shop.services.spec.name
    stages = (
        StageSpec("dev", Stage.DEVELOPMENT, (f"{name}-d1", f"{name}-d2"), ((f"{name}-d1", f"{name}-d2"),)),
        StageSpec("staging", Stage.STAGING, (f"{name}-s",), ((f"{name}-s",),)),
        StageSpec("live", Stage.PRODUCTION, (f"{name}-l",), ((f"{name}-l",),)),
    )
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)
    with pytest.raises(UsageError, match="not on"):
        shop.deliver()
    shop.apply()
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "live")
    assert {shop.slug(f"{name}-{app}") for app in ("d1", "d2", "s")} == {waiting.slug_id}
    assert waiting.source_app_id == shop.services.heroku.apps.get(f"{name}-s").id
    deliver.approve(shop.services, waiting.id)
    assert shop.advance(waiting).status is Status.DELIVERED
    assert shop.slug(f"{name}-l") == waiting.slug_id


def test_a_gate_before_the_first_stage_is_asked(shop: Shop) -> None:
    staging, production = shop.services.spec.stages
    asked = dataclasses.replace(staging, gates=(GateSpec("approval", {"optional": False}),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(asked, production))
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage, waiting.slug_id) == (Status.WAITING, "staging", None)
    deliver.approve(shop.services, waiting.id)
    assert shop.advance(waiting).at_stage == "production"


def test_an_app_that_is_not_applied_yet_is_named(shop: Shop) -> None:
    staging, production = shop.services.spec.stages
    more = dataclasses.replace(production, apps=(*production.apps, "not-there-yet"))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, more))
    with pytest.raises(UsageError, match="not-there-yet"):
        shop.deliver()


def test_a_promotion_that_the_platform_refuses_fails_and_is_not_asked_for_again(shop: Shop) -> None:
    waiting = shop.deliver()
    coupling = shop.services.heroku.couplings.of_app(shop.app("production"))
    shop.services.heroku.couplings.delete(coupling.id)

    failed = shop.advance(deliver.approve(shop.services, waiting.id))

    assert failed.status is Status.FAILED
    assert f"refuses to promote to {shop.app('production')}" in failed.reason
    assert shop.resume() == []


def test_a_promotion_by_hand_that_was_cut_is_carried_on_and_recorded(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deliver()
    promotions = shop.services.heroku.promotions
    post = promotions.create

    def cut(*arguments: Any) -> Any:
        post(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(promotions, "create", cut)
    with pytest.raises(KeyboardInterrupt):
        promote.promote(shop.services)
    monkeypatch.setattr(promotions, "create", post)
    before = len(shop.versions(shop.app("production")))

    view = promote.promote(shop.services)

    assert len(shop.versions(shop.app("production"))) <= before + 1, "not promoted twice"
    assert not view.already, "it is this promotion that brought it there"
    assert [kind for kind in shop.kinds() if kind.startswith("promotion.")] == [
        "promotion.started",
        "promotion.succeeded",
    ]
