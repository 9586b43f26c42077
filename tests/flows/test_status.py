"""What `status` shows of those that wait: what their gates say now."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from herodeploy.domain.gate import Answer
from herodeploy.domain.pipeline import GateSpec
from herodeploy.flows import deliver, locks, status
from herodeploy.flows.why import why

Shop = Any


def said(shop: Shop, *, at: int = 0) -> dict[str, tuple[Answer, str]]:
    view = status.snapshot(shop.services).deliveries[at]
    return {each.name: (each.answer, each.reason) for each in view.verdicts}


def test_the_gates_say_what_they_would_say_now(shop: Shop) -> None:
    waiting = shop.deliver()
    assert said(shop)["lock"] == (Answer.PASS, "production is not locked")
    locks.lock(shop.services, why="the sale", until=shop.services.clock() + timedelta(hours=1))
    answer, reason = said(shop)["lock"]
    assert answer is Answer.WAIT
    assert reason.startswith("production is locked by ann@example.com until ")
    deliver.approve(shop.services, waiting.id, by="cat@example.com")
    assert said(shop)["approval"] == (Answer.PASS, "approved by cat@example.com")
    assert said(shop) == {each.name: (each.answer, each.reason) for each in why(shop.services).verdicts}
    assert shop.services.store.delivery(waiting.id).reason == waiting.reason, "nothing is moved"


def test_those_before_several_stages_and_before_one_that_is_gone(shop: Shop) -> None:
    first, last = shop.services.spec.stages
    waiting = shop.deliver()
    gated = dataclasses.replace(first, gates=(GateSpec("approval"),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(gated, last))
    shop.deliver(shop.commit(index_dot_html="two\n"))
    assert said(shop, at=0)["approval"][0] is said(shop, at=1)["approval"][0] is Answer.WAIT
    assert "upstream" not in said(shop, at=0)
    assert said(shop, at=1)["upstream"] == (Answer.PASS, "verified in staging")

    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(gated,))
    assert said(shop, at=1)["approval"][0] is Answer.WAIT, "what it said last"
    assert why(shop.services, waiting.id).answer is Answer.WAIT
