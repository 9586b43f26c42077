"""What people do while gates are being asked counts before the delivery moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.progress import Note
from herodeploy.flows import deliver, locks, mode, overrides, work

Shop = Any


def meanwhile(shop: Shop, happens: Callable[[], object], run: str = "true") -> None:
    """Put a command before production, and have something happen once while it runs, the first time."""
    first, last = shop.services.spec.stages
    gates = (GateSpec("command", {"run": run}),)
    shop.services.spec = dataclasses.replace(
        shop.services.spec, stages=(first, dataclasses.replace(last, gates=gates)), mode="deployment"
    )
    report, left = shop.services.report, [happens]

    def hear(note: Note) -> None:
        report(note)
        if note.text == f"gate command: {run}" and left:
            left.pop()()

    shop.services.report = hear


def lock_for_bob(shop: Shop) -> locks.Lock:
    me, shop.services.actor = shop.services.actor, "bob@example.com"
    made = locks.lock(shop.services, "production", why="the sale")
    shop.services.actor = me
    return made


def test_a_lock_that_is_set_while_a_gate_is_asked_stops_the_move(shop: Shop) -> None:
    meanwhile(shop, lambda: lock_for_bob(shop))
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage, waiting.news) == (Status.WAITING, "production", 0)
    assert "the sale" in waiting.reason
    assert shop.slug(shop.app("production")) is None
    assert "gates.passed" not in [
        each.kind for each in shop.services.store.events(waiting.pipeline_id, waiting.id) if each.stage == "production"
    ]
    locks.unlock(shop.services, "production")
    assert shop.advance(waiting).status is Status.DELIVERED


def test_a_switch_of_the_mode_meanwhile_asks_for_a_person(shop: Shop) -> None:
    meanwhile(shop, lambda: mode.switch(shop.services, Mode.DELIVERY, None))
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage) == (Status.WAITING, "production")
    assert shop.slug(shop.app("production")) is None


def test_so_it_is_with_a_worker(shop: Shop) -> None:
    meanwhile(shop, lambda: lock_for_bob(shop))
    begun = deliver.start_delivery(shop.services, shop.services.repo.head())
    assert work.look(shop.services, shop.engine) == work.LONGEST
    waiting = shop.services.store.delivery(begun.id)
    assert (waiting.status, waiting.at_stage, waiting.news) == (Status.WAITING, "production", 0)
    assert "the sale" in waiting.reason


def test_an_override_that_comes_meanwhile_is_heeded(shop: Shop) -> None:
    meanwhile(shop, lambda: overrides.override(shop.services, "command", reason="it is wrong"), run="false")
    assert shop.deliver().status is Status.DELIVERED
    assert not shop.told("failed"), "the answer before it was void"


@pytest.mark.parametrize("worker", [False, True])
def test_where_it_never_ends_the_delivery_waits(shop: Shop, monkeypatch: pytest.MonkeyPatch, worker: bool) -> None:
    waiting = shop.deliver()
    judging = shop.services.store.judging
    asked = []

    def known(*arguments: Any) -> Any:
        asked.append(1)
        found = type(judging).known(judging, *arguments)
        locks.lock(shop.services, "production", why=f"number {len(asked)}", warning=True)
        return found

    mode.switch(shop.services, Mode.DEPLOYMENT, None)
    with monkeypatch.context() as patched:
        patched.setattr(judging, "known", known)
        if worker:
            assert work.look(shop.services, shop.engine) == work.STUCK
        else:
            shop.resume()
    still = shop.services.store.delivery(waiting.id)
    assert (still.status, still.news > 0) == (Status.WAITING, True)
    assert 1 < len(asked) < 30
    assert [each.status for each in shop.resume()] == [Status.DELIVERED]
