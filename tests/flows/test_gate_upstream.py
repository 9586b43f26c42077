"""Which of the stages before must have verified what enters production."""

from __future__ import annotations

import dataclasses
from typing import Any

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec, Stage
from herodeploy.flows import locks, mode, rollback

Shop = Any


def test_what_was_taken_back_in_the_first_stage_waits_where_all_must_have_verified_it(make: Any) -> None:
    shop = make(applied=False)
    staging, production = shop.services.spec.stages
    apps = (f"{shop.services.spec.name}-dev",)
    first = dataclasses.replace(staging, name="development", kind=Stage.DEVELOPMENT, apps=apps, waves=(apps,))
    production = dataclasses.replace(production, gates=(GateSpec("upstream", {"verified_in": "all"}),))
    second = dataclasses.replace(staging, branch=None)
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, second, production))
    shop.apply()
    mode.switch(shop.services, Mode.DEPLOYMENT)
    assert shop.deliver().status is Status.DELIVERED

    locks.lock(shop.services, why="look at it first")
    shop.services.actor = "bob@example.com"
    shop.commit(index_dot_html="two\n")
    waiting = shop.deliver()
    rollback.rollback(shop.services, "development")
    locks.unlock(shop.services, "production")
    [waiting] = shop.resume()
    assert (waiting.status, waiting.reason) == (
        Status.WAITING,
        "not verified in development, or taken back there since",
    )
    production = dataclasses.replace(production, gates=(GateSpec("upstream"),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, second, production))
    assert shop.resume()[0].status is Status.DELIVERED
