"""A yes is for one artifact: a commit that is delivered again keeps both."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from support.two_apps import two_in_the_first

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import PlatformError
from herodeploy.flows import deliver, deploy, holds, mode, rollback

Shop = Any
HOUR = timedelta(hours=1)


def gated(shop: Shop, *gates: GateSpec) -> None:
    """Put such gates before production."""
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=gates))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)


def yes(shop: Shop, delivery: Delivery, by: str = "bob@example.com") -> Delivery:
    return shop.advance(deliver.approve(shop.services, delivery.id, by=by))


def builds(shop: Shop) -> int:
    return len(shop.services.heroku.builds.list(shop.app("staging")))


def test_a_yes_is_carried_over_with_the_artifact_within_the_grace(shop: Shop) -> None:
    gated(shop, GateSpec("approval", {"grace": HOUR}), GateSpec("command", {"run": "false"}))
    failed = yes(shop, shop.deliver())
    assert (failed.status, failed.at_stage) == (Status.FAILED, "production")
    gated(shop, GateSpec("approval", {"grace": HOUR}))
    versions = shop.versions(shop.app("staging"))
    again = shop.deliver()
    assert (again.status, again.slug_id) == (Status.DELIVERED, failed.slug_id)
    assert again.id != failed.id
    assert (builds(shop), shop.versions(shop.app("staging"))) == (1, versions), "built and released once"
    version = versions[-1][0]
    assert f"v{version} is {again.short} already, verified: it is not built again" in shop.told("step")


def test_a_no_is_the_end_of_what_was_said_before(shop: Shop) -> None:
    gated(shop, GateSpec("approval", {"grace": HOUR, "count": 2}))
    waiting = yes(shop, shop.deliver())
    deliver.reject(shop.services, waiting.id, by="cat@example.com")
    again = shop.deliver(shop.services.repo.head(), retry=True)
    assert again.slug_id == waiting.slug_id
    assert again.reason.startswith("waits for 2 approvals, 0 given")
    assert yes(shop, yes(shop, again), "cat@example.com").status is Status.DELIVERED


def test_what_is_no_longer_good_or_not_the_newest_is_built_again(shop: Shop) -> None:
    first = deliver.reject(shop.services, shop.deliver().id)
    shop.commit(index_dot_html="two\n")
    deliver.reject(shop.services, shop.deliver().id)
    rollback.rollback(shop.services, "staging")
    assert (shop.slug(shop.app("staging")), builds(shop)) == (first.slug_id, 2)
    holds.lift(shop.services, "staging")
    change = shop.services.repo.resolve(first.commit)
    again = shop.deliver(change, retry=True)
    assert (again.at_stage, builds(shop)) == ("production", 3), "what is built last is what is promoted last"

    shop.services.store.forget_verified(again.pipeline_id, "staging", again.slug_id or "")
    deliver.reject(shop.services, again.id)
    assert shop.deliver(change, retry=True).at_stage == "production"
    assert builds(shop) == 4


def test_a_first_stage_of_two_apps_gets_nothing_twice(make: Any) -> None:
    shop = two_in_the_first(make)
    shop.apply()
    apps = shop.services.spec.stages[0].apps
    waiting = deliver.reject(shop.services, shop.deliver().id)
    versions = [shop.versions(app) for app in apps]
    again = shop.deliver(shop.services.repo.head(), retry=True)
    assert (again.at_stage, again.slug_id) == ("production", waiting.slug_id)
    assert [shop.versions(app) for app in apps] == versions

    deliver.reject(shop.services, again.id)
    shop.services.heroku.config_vars.update(apps[0], {"PLACE": "here"})
    again = shop.deliver(shop.services.repo.head(), retry=True)
    assert (again.at_stage, again.slug_id, builds(shop)) == ("production", waiting.slug_id, 1)
    assert yes(shop, again).status is Status.DELIVERED


def test_what_another_artifact_has_taken_the_place_of_meanwhile_is_built_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver.reject(shop.services, shop.deliver().id)
    staging = shop.app("staging")
    [(older, _)] = shop.versions(staging)[-1:]
    shop.commit(index_dot_html="two\n")
    second = deliver.reject(shop.services, shop.deliver().id)

    def breaks(*_: Any, **__: Any) -> Any:
        raise PlatformError("HTTP 503")

    with monkeypatch.context() as patched:
        patched.setattr(deploy, "watch_release", breaks)
        with pytest.raises(PlatformError):
            shop.deliver(shop.services.repo.head(), retry=True)
    shop.services.heroku.releases.rollback(staging, f"v{older}")
    assert shop.slug(staging) != second.slug_id
    [again] = shop.resume()
    assert (again.status, again.at_stage, builds(shop)) == (Status.WAITING, "production", 3)


def test_who_switches_to_deployment_is_told_which_approvals_are_asked_no_more(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT)
    assert shop.told("info") == [], "none is written"
    gated(shop, GateSpec("approval", {"count": 2}, place=("herodeploy.yml", 12)))
    mode.switch(shop.services, Mode.DELIVERY)
    mode.switch(shop.services, Mode.DEPLOYMENT)
    [told] = shop.told("info")
    assert told.startswith("herodeploy.yml:12: the approval before production is not asked for in deployment mode")
