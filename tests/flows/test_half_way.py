"""A delivery that errored half-way into a stage does not end there, and going back goes no further than it had come."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from support.two_waves import Clock, Shop, slugs, two_waves

from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import PlatformError, PlatformUnreachable, UsageError
from herodeploy.flows import approval, deliver, holds, locks, rollback


@pytest.fixture
def two(make: Any) -> Shop:
    return two_waves(make, Clock())


def errors_after(shop: Shop, monkeypatch: pytest.MonkeyPatch, waves: int) -> Delivery:
    """Deliver a second change, with a fault of the platform at the promotion of the wave after so many."""
    promotions, left = shop.services.heroku.promotions, [PlatformError("HTTP 503")] * waves

    def create(*arguments: Any) -> Any:
        if not left:
            raise PlatformError("HTTP 503")
        left.pop()
        return type(promotions).create(promotions, *arguments)

    shop.commit(index_dot_html="two\n")
    with monkeypatch.context() as patched:
        patched.setattr(promotions, "create", create)
        with pytest.raises(PlatformError):
            shop.deliver()
    errored = shop.services.store.open_deliveries(shop.services.pipeline().id)[-1]
    assert (errored.status, errored.at_stage) == (Status.ERRORED, "production")
    return errored


def gated(shop: Shop, run: str) -> None:
    """Put a command before production."""
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(GateSpec("command", {"run": run}),)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages)


def again(shop: Shop, delivery: Delivery) -> Delivery:
    shop.resume()
    found = shop.services.store.delivery(delivery.id)
    assert found is not None
    return found


def test_a_gate_that_says_no_by_then_lets_it_wait_and_says_how_to_go_back(
    two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    eu, us = two.services.spec.stages[1].apps
    errored = errors_after(two, monkeypatch, 1)
    assert slugs(two) == [errored.slug_id, two.first.slug_id]
    gated(two, "echo too risky; false")
    waiting = again(two, errored)
    assert waiting.status is Status.WAITING
    assert waiting.reason == (
        "`echo too risky; false` ended with exit status 1: too risky; "
        f"{eu} runs {errored.short} already, take it back: herodeploy rollback production"
    )
    assert two.told("wait")[-1] == waiting.reason
    before = two.versions(us)
    rollback.rollback(two.services, "production")
    assert slugs(two) == [two.first.slug_id] * 2
    assert two.versions(us) == before, "it had its earlier release still"
    holds.lift(two.services, "production")
    assert again(two, errored).status is Status.FAILED, "nothing is half-way any more"


def test_a_person_cannot_reject_it_before_it_was_taken_back(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    eu, _ = two.services.spec.stages[1].apps
    errored = errors_after(two, monkeypatch, 1)
    lock = locks.lock(two.services, "production", why="wait")
    assert again(two, errored).status is Status.WAITING
    with pytest.raises(UsageError, match=f"{eu} runs {errored.short} already") as refused:
        deliver.reject(two.services, errored.id)
    assert refused.value.hint == "take it back first: herodeploy rollback production"
    assert not two.services.store.judging.known(errored.pipeline_id, "production", [], {errored: "x"}).approvals
    rollback.rollback(two.services, "production")
    locks.unlock(two.services, lock.id)
    assert again(two, errored).status is Status.WAITING, "the stage is held"
    assert approval.reject(two.services, errored.id).status is Status.FAILED


def test_let_in_again_after_a_rollback_it_begins_with_the_first_wave(
    two: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    errored = errors_after(two, monkeypatch, 1)
    rollback.rollback(two.services, "production")
    assert again(two, errored).status is Status.WAITING
    holds.lift(two.services, "production")
    assert again(two, errored).status is Status.DELIVERED
    assert slugs(two) == [errored.slug_id] * 2
    assert two.kinds(errored).count("wave.soaking") == 2


def test_what_has_reached_no_app_ends_as_ever(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    errored = errors_after(two, monkeypatch, 0)
    locks.lock(two.services, "production", why="wait")
    again(two, errored)
    assert deliver.reject(two.services, errored.id).status is Status.FAILED
    assert slugs(two) == [two.first.slug_id] * 2


def test_where_nobody_can_tell_it_waits(two: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    errored = errors_after(two, monkeypatch, 0)
    gated(two, "false")

    def unreachable(*arguments: Any, **options: Any) -> Any:
        raise PlatformUnreachable("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(two.services.heroku.releases, "list", unreachable)
        waiting = again(two, errored)
    assert (waiting.status, waiting.recheck_at is not None) == (Status.WAITING, True)
    assert waiting.reason.endswith(f"; the platform does not say whether production runs {errored.short} already")
    assert again(two, errored).status is Status.FAILED
