"""What began long ago is not forgotten, however much the audit log tells since."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.secret import Secret
from herodeploy.errors import PlatformError
from herodeploy.flows import mode, review, rollback, soak
from herodeploy.flows.moves import last_move
from herodeploy.heroku.client import Heroku
from herodeploy.heroku.session import Session

from .conftest import TOKEN

Shop = Any
MANY = 600


def much_happens(shop: Shop, delivery_id: str | None, stage: str) -> None:
    event = shop.services.event("delivery.errored", "nothing to see", delivery_id=delivery_id, stage=stage)
    for _ in range(MANY):
        shop.services.store.record_event(event)


@pytest.fixture
def hasty(make: Any, local: Any) -> Shop:
    """Rolled back on failure, in deployment mode, and asking a platform in trouble again without a pause."""
    shop = make()
    staging, production = shop.services.spec.stages
    production = dataclasses.replace(production, on_failure="rollback")
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(staging, production))
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    shop.first = shop.deliver()
    hasty = shop.like(connect=lambda: Heroku(Session(local.url, Secret(TOKEN), sleep=lambda _: None)))
    hasty.first = shop.first
    return hasty


def test_a_leg_that_is_tried_again_and_again_has_one_baseline(hasty: Shop, local: Any) -> None:
    hasty.commit(index_dot_html="two\n")
    control = local._running.control
    fault = control.fault("error", f"GET /apps/{hasty.app('production')}/dynos", count=None)
    with pytest.raises(PlatformError):
        hasty.deliver()
    control.clear_faults(fault["id"])
    [errored] = hasty.services.store.open_deliveries(hasty.first.pipeline_id)
    before = hasty.versions(hasty.app("production"))
    much_happens(hasty, errored.id, "production")

    assert [each.status for each in hasty.resume()] == [Status.DELIVERED]
    events = hasty.services.store.events(errored.pipeline_id, errored.id, limit=2 * MANY)
    assert [each.stage for each in events if each.kind == "leg.started"] == ["production", "staging", "test"]
    assert hasty.versions(hasty.app("production")) == before


def test_what_is_put_back_stays_that(hasty: Shop, local: Any) -> None:
    hasty.commit(Procfile="web: exit 1\n")
    staging, production = hasty.services.spec.stages
    staging = dataclasses.replace(staging, verify=None)
    hasty.services.spec = dataclasses.replace(hasty.services.spec, stages=(staging, production))
    app, control = production.apps[0], local._running.control
    hasty.services.heroku.formation.scale(hasty.app("staging"), {"web": (0, None)})
    fault = control.fault("error", f"POST /apps/{app}/releases", count=None)
    with pytest.raises(PlatformError):
        hasty.deliver()
    control.clear_faults(fault["id"])
    [errored] = hasty.services.store.open_deliveries(hasty.first.pipeline_id)
    before = hasty.versions(app)
    much_happens(hasty, errored.id, "production")

    assert [each.status for each in hasty.resume()] == [Status.FAILED]
    assert hasty.slug(app) == hasty.first.slug_id
    assert len(hasty.versions(app)) == len(before) + 1, "put back, and not promoted once more"


@pytest.mark.parametrize("delivery_id", ["20261125-120000-abcd", None])
def test_a_soak_goes_on(shop: Shop, delivery_id: str | None) -> None:
    services = shop.services
    soaking = soak.outcome(1, 2, services.clock() + timedelta(hours=1), {"shop-eu": {"version": 3}})
    if delivery_id is None:
        del soaking["log"]  # as a leg ended before herodeploy looked at the log
    services.store.record_event(soak.event(services, "production", "this", soaking, delivery_id))
    much_happens(shop, delivery_id, "production")
    assert soak.last(services, "production", "this", delivery_id)["soaked"]["until"] == soaking["until"]
    assert soak.last(services, "staging", "this", delivery_id) == {}
    assert soak.last(services, "production", "this", "20261125-120000-none") == {}
    assert soak.last(services, "production", "another", None) == {}


def test_a_move_by_hand_that_was_cut_is_carried_on(shop: Shop) -> None:
    event = shop.services.event("rollback.started", "rolling production back", stage="production")
    shop.services.store.record_event(event)
    much_happens(shop, None, "production")
    assert last_move(shop.services, "production").kind == "rollback.started"
    assert last_move(shop.services, "staging") is None


def test_what_was_rolled_back_from_stays_passed_over(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    slugs = []
    for page in ("one\n", "two\n", "three\n"):
        shop.commit(index_dot_html=page)
        slugs.append(shop.deliver().slug_id)
    rollback.rollback(shop.services, "production")
    much_happens(shop, None, "production")
    rollback.rollback(shop.services, "production")
    assert shop.slug(shop.app("production")) == slugs[0]


def test_a_review_app_whose_destruction_was_cut_is_told_as_gone(shop: Shop) -> None:
    data: dict[str, object] = {"branch": "nice", "app": "shop-nice", "strategy": "managed"}
    event = shop.services.event("review.destroying", "destroying shop-nice", stage=review.LEG, data=data)
    shop.services.store.record_event(event)
    much_happens(shop, None, review.LEG)
    assert review.destroy(shop.services, "shop-nice").branch == "nice"
    assert shop.kinds()[-1] == "review.destroyed"
