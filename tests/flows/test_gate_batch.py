"""The gate batch counts the commits of a real repository."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.flows import deliver, rollback
from herodeploy.flows.services import utc_now

Shop = Any


def gated(shop: Shop, options: dict[str, Any]) -> None:
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(GateSpec("batch", options),)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")


def test_many_commits_wait_for_a_person(shop: Shop) -> None:
    gated(shop, {"max_commits": 2})
    assert shop.deliver().status is Status.DELIVERED, "nothing was there before"
    for number in range(2):
        shop.commit(f"Change {number}", index_dot_html=f"{number}\n")
    assert shop.deliver().status is Status.DELIVERED
    for number in range(2, 5):
        shop.commit(f"Change {number}", index_dot_html=f"{number}\n")
    waiting = shop.deliver()
    assert waiting.status is Status.WAITING
    assert waiting.reason is not None
    assert waiting.reason.startswith("3 commits since the last that entered production, more than 2; a person has to")
    assert shop.advance(deliver.approve(shop.services, waiting.id)).status is Status.DELIVERED


def test_the_next_waits_its_time(shop: Shop) -> None:
    gated(shop, {"every": timedelta(hours=1)})
    shop.deliver()
    began = utc_now()
    shop.commit("Change", index_dot_html="two\n")
    waiting = shop.deliver()
    assert waiting.status is Status.WAITING
    assert waiting.recheck_at is not None
    assert waiting.recheck_at < began + timedelta(hours=1)
    shop.services.clock = lambda: waiting.recheck_at
    assert shop.resume()[0].status is Status.DELIVERED


def test_after_a_rollback_it_counts_from_what_runs(shop: Shop) -> None:
    gated(shop, {"max_commits": 2})
    first = shop.deliver()
    shop.commit("Change", index_dot_html="two\n")
    assert shop.deliver().status is Status.DELIVERED
    rollback.rollback(shop.services, "production", why="broken")
    last = shop.services.store.last_verified(shop.services.pipeline().id, "production")
    assert last is not None
    assert last.commit == first.commit


def test_a_commit_that_is_gone_is_said(shop: Shop) -> None:
    gated(shop, {"max_commits": 2})
    done = shop.deliver()
    shop.git("checkout", "--quiet", "--orphan", "other")
    shop.commit("Begin again", index_dot_html="two\n")
    shop.git("branch", "--quiet", "-D", "main")
    shop.git("branch", "--quiet", "-m", "main")
    shop.git("reflog", "expire", "--expire=now", "--all")
    shop.git("gc", "--quiet", "--prune=now")
    waiting = shop.deliver()
    assert waiting.status is Status.WAITING
    assert waiting.reason is not None
    assert f"has no commit '{done.commit}'; fetch it first: git fetch --all" in waiting.reason
    assert waiting.recheck_at is not None
