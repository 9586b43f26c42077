"""What a person decides against a gate, and how a delivery is explained."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import UsageError
from herodeploy.flows import deliver, locks, mode, overrides
from herodeploy.flows.why import why

Shop = Any


def verdict(shop: Shop, delivery: Any, name: str) -> Any:
    [found] = [each for each in shop.services.store.gates.verdicts(delivery.id, "production") if each.name == name]
    return found


def test_an_override_lets_a_waiting_one_in_and_hides_nothing(shop: Shop) -> None:
    waiting = shop.deliver()
    decided = overrides.override(shop.services, "approval", reason="nobody is here")
    assert decided.id == waiting.id
    delivered = shop.advance(decided)
    assert delivered.status is Status.DELIVERED
    approval = verdict(shop, delivered, "approval")
    assert (approval.answer, approval.said) == (Answer.OVERRIDDEN, Answer.WAIT)
    assert (approval.actor, approval.comment) == ("ann@example.com", "nobody is here")
    assert "it says WAIT: waits for an approval" in approval.reason
    [event] = [each for each in shop.services.store.events(delivered.pipeline_id) if each.kind == "gate.overridden"]
    assert (event.actor, event.data["gate"], event.data["said"]) == ("ann@example.com", "approval", "WAIT")
    assert "nobody is here" in event.text


def test_one_that_failed_at_a_gate_waits_again(shop: Shop) -> None:
    waiting = shop.deliver()
    rejected = deliver.reject(shop.services, waiting.id, comment="not today")
    explained = why(shop.services, rejected.id)
    assert (explained.at_gate, explained.delivery.status) == (True, Status.FAILED)

    reopened = overrides.override(shop.services, "approval", reason="it is urgent", delivery_id=rejected.id)
    assert (reopened.status, reopened.reason) == (Status.WAITING, "gate approval was overridden")
    assert shop.advance(reopened).status is Status.DELIVERED
    said = verdict(shop, rejected, "approval")
    assert said.said is Answer.FAIL
    assert "rejected by ann@example.com: not today" in said.reason
    assert shop.kinds(rejected)[-5:-2] == ["gate.overridden", "delivery.reopened", "gates.passed"]


def test_a_persons_no_is_what_the_gate_says_from_then_on(shop: Shop) -> None:
    locks.lock(shop.services, why="the sale")
    shop.services.actor = "cat@example.com"
    waiting = shop.deliver()
    shop.advance(deliver.approve(shop.services, waiting.id, by="bob@example.com"))
    assert verdict(shop, waiting, "approval").reason == "approved by bob@example.com"

    rejected = deliver.reject(shop.services, waiting.id, comment="numbers are wrong")
    assert rejected.reason == "rejected by cat@example.com: numbers are wrong"
    said = {each.name: each for each in why(shop.services, rejected.id).verdicts}
    assert (said["approval"].answer, said["approval"].reason) == (Answer.FAIL, rejected.reason)
    assert (said["ci"].answer, said["lock"].answer) == (Answer.PASS, Answer.WAIT)
    assert shop.kinds(rejected)[-2:] == ["approval.refused", "delivery.failed"]


def test_a_persons_no_to_what_needs_no_yes_is_overridden_as_such_alone(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    locks.lock(shop.services, why="the sale")
    shop.services.actor = "cat@example.com"
    rejected = deliver.reject(shop.services, shop.deliver().id)
    said = verdict(shop, rejected, "approval")
    assert (said.answer, said.reason) == (Answer.FAIL, "rejected by cat@example.com")

    with pytest.raises(UsageError, match="was rejected by cat@") as refused:
        overrides.override(shop.services, "lock", reason="the sale is over", delivery_id=rejected.id)
    assert (
        refused.value.hint
        == f"decide against that: herodeploy override approval --reason TEXT --delivery {rejected.id}"
    )
    locks.unlock(shop.services)
    reopened = overrides.override(shop.services, "approval", reason="cat was wrong", delivery_id=rejected.id)
    assert shop.advance(reopened).status is Status.DELIVERED


def test_one_that_failed_in_a_leg_stays_failed(shop: Shop) -> None:
    shop.git("mv", "index.html", "other.html")
    failed = shop.deliver(shop.commit())
    with pytest.raises(UsageError, match="failed in its leg at staging; no gate stands in its way") as caught:
        overrides.override(shop.services, "ci", reason="I know better", delivery_id=failed.id)
    assert "--retry" in caught.value.hint
    with pytest.raises(UsageError, match="no delivery waits, and none that failed at a gate may come back"):
        overrides.override(shop.services, "ci", reason="I know better")
    explained = why(shop.services)
    assert (explained.delivery.id, explained.at_gate, explained.answer) == (failed.id, False, Answer.PASS)


def test_what_cannot_be_overridden(shop: Shop) -> None:
    waiting = shop.deliver()
    with pytest.raises(UsageError, match="no gate 'approvl' stands before production") as caught:
        overrides.override(shop.services, "approvl", reason="x")
    assert caught.value.hint == "one of: ci, upstream, lock, hold, approval"
    with pytest.raises(UsageError, match="gate 'ci' says PASS"):
        overrides.override(shop.services, "ci", reason="x")
    with pytest.raises(UsageError, match="wants a reason"):
        overrides.override(shop.services, "approval", reason=" ")
    assert shop.services.store.gates.overrides(waiting.id, "production") == []


def test_a_failed_one_does_not_come_back_over_a_newer_one(shop: Shop) -> None:
    older = deliver.reject(shop.services, shop.deliver().id)
    shop.commit(index_dot_html="two\n")
    newer = shop.deliver()
    with pytest.raises(UsageError, match=f"{newer.id} .* is newer and has come as far"):
        overrides.override(shop.services, "approval", reason="x", delivery_id=older.id)
    assert shop.services.store.delivery(older.id).status is Status.FAILED


def test_what_a_newer_one_has_overtaken_is_neither_explained_nor_overridden_unless_named(shop: Shop) -> None:
    gates = (GateSpec("command", {"run": "false"}),)
    stages = (shop.services.spec.stages[0], dataclasses.replace(shop.services.spec.stages[1], gates=gates))
    plain, shop.services.spec = shop.services.spec, dataclasses.replace(shop.services.spec, stages=stages)
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    failed = shop.deliver()
    assert why(shop.services).decide == ("command",)
    shop.services.spec = plain
    shop.commit(index_dot_html="two\n")
    delivered = shop.deliver()
    assert (failed.status, delivered.status) == (Status.FAILED, Status.DELIVERED)

    assert why(shop.services).delivery.id == delivered.id
    explained = why(shop.services, failed.id)
    assert (explained.at_gate, explained.decide) == (True, ())
    with pytest.raises(UsageError, match="none that failed at a gate may come back"):
        overrides.override(shop.services, "command", reason="x")
    waiting = deliver.start_delivery(shop.services, shop.commit(index_dot_html="three\n"))
    assert why(shop.services).delivery.id == waiting.id, "what is open comes first"


def test_what_has_ended_waits_for_no_time(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    locks.lock(shop.services, why="lunch", until=shop.services.clock() + timedelta(hours=2))
    shop.services.actor = "bob@example.com"
    waiting = shop.deliver()
    assert why(shop.services).not_before is not None
    deliver.reject(shop.services, waiting.id)
    explained = why(shop.services)
    assert [each.name for each in explained.verdicts if each.until] == ["lock"]
    assert (explained.rejected, explained.not_before, explained.decide) == (True, None, ())


def test_why_asks_as_things_are_now_and_says_until_when(shop: Shop) -> None:
    with pytest.raises(UsageError, match="no deliveries yet"):
        why(shop.services)
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    ends = shop.services.clock() + timedelta(hours=2)
    locks.lock(shop.services, why="mine", until=ends)
    delivered = shop.deliver()
    assert delivered.status is Status.DELIVERED, "one's own lock"
    assert shop.told("warning") == ["production is locked: mine; it lets in who set it (ann@example.com)"]
    assert why(shop.services).delivery.id == delivered.id

    shop.commit(index_dot_html="two\n")
    shop.services.actor = "bob@example.com"
    waiting = shop.deliver()
    explained = why(shop.services)
    assert (explained.delivery.id, explained.answer, explained.not_before) == (waiting.id, Answer.WAIT, ends)
    told = explained.to_json()
    [lock] = [each for each in told["verdicts"] if each["answer"] == "WAIT"]
    assert (told["answer"], told["not_before"], lock["until"]) == ("WAIT", ends.isoformat(), ends.isoformat())
    assert lock["facts"]["locks"][0]["by"] == "ann@example.com"

    locks.unlock(shop.services)
    assert why(shop.services).answer is Answer.PASS, "as it is now, not as it was when it was asked"
    assert shop.services.store.delivery(waiting.id).status is Status.WAITING, "nothing is moved"


def test_an_override_counts_though_the_clock_of_who_locked_is_ahead(shop: Shop) -> None:
    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    right = shop.services.clock
    shop.services.clock, shop.services.actor = lambda: right() + timedelta(seconds=20), "bob@example.com"
    locks.lock(shop.services, "production", why="the sale")
    shop.services.clock, shop.services.actor = right, "ann@example.com"
    waiting = shop.deliver()
    overrides.override(shop.services, "lock", reason="it is over")
    assert shop.advance(waiting).status is Status.DELIVERED
