"""Where a delivery begins: a commit that failed is not tried again by itself."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import CiSpec, GateSpec
from herodeploy.errors import PlatformError, Refused, UsageError
from herodeploy.flows import deliver, locks, mode, rollback

Shop = Any


def again(shop: Shop, *, retry: bool = False) -> Any:
    with shop.engine() as engine:
        delivery = deliver.start_delivery(shop.services, shop.services.repo.head(), retry=retry)
        return deliver.advance(shop.services, engine, delivery)


def gated(shop: Shop, run: str) -> None:
    """Put a command before production, which is entered without a person's yes."""
    first, last = shop.services.spec.stages
    stages = (first, dataclasses.replace(last, gates=(GateSpec("command", {"run": run}),)))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")


def test_what_failed_in_a_leg_is_tried_again_only_where_a_person_asks_for_it(shop: Shop) -> None:
    shop.git("mv", "index.html", "other.html")
    failed = shop.deliver(shop.commit())
    assert (failed.status, failed.at_stage) == (Status.FAILED, "staging")
    before = shop.versions(shop.app("staging"))

    with pytest.raises(Refused) as refused:
        shop.deliver()
    assert refused.value.message.startswith(
        f"{failed.short} failed at staging as {failed.id} and is not tried again by itself: "
    )
    assert refused.value.hint.endswith(f"herodeploy deliver --retry {failed.short}")
    assert shop.resume() == [], "nothing automatic takes it up"
    assert shop.versions(shop.app("staging")) == before

    tried = again(shop, retry=True)
    assert (tried.status, tried.at_stage) == (Status.FAILED, "staging")
    assert tried.id != failed.id
    shop.commit(index_dot_html="one\n")
    assert shop.deliver().status is Status.WAITING, "another commit is another matter"


@pytest.mark.parametrize("to", Mode)
def test_what_a_person_said_no_to_is_tried_again_only_where_a_person_asks_for_it(shop: Shop, to: Mode) -> None:
    mode.switch(shop.services, to)
    locks.lock(shop.services, why="the sale")
    shop.services.actor = "cat@example.com"
    waiting = shop.deliver()
    deliver.reject(shop.services, waiting.id, comment="numbers are wrong", by="bob@example.com")
    locks.unlock(shop.services)
    with pytest.raises(Refused) as refused:
        shop.deliver()
    assert refused.value.message == (
        f"{waiting.short} failed at production as {waiting.id} and is not tried again by itself: "
        "rejected by bob@example.com: numbers are wrong"
    )
    assert refused.value.hint.endswith(f"herodeploy deliver --retry {waiting.short}")
    assert shop.slug(shop.app("production")) is None

    tried = again(shop, retry=True)
    assert tried.id != waiting.id
    assert tried.status is (Status.WAITING if to is Mode.DELIVERY else Status.DELIVERED)


def test_what_a_gate_said_no_to_may_be_delivered_again(shop: Shop) -> None:
    gated(shop, "false")
    failed = shop.deliver()
    assert (failed.status, failed.at_stage) == (Status.FAILED, "production")
    gated(shop, "true")
    assert shop.deliver().status is Status.DELIVERED


def test_only_the_newest_of_a_commits_deliveries_counts(shop: Shop) -> None:
    shop.commit(index_dot_html="rude\n")
    assert shop.deliver().at_stage == "test"
    with pytest.raises(Refused, match="failed at test"):
        shop.deliver()
    shop.services.spec = dataclasses.replace(shop.services.spec, ci=CiSpec("none"))
    gated(shop, "false")
    assert again(shop, retry=True).at_stage == "production"
    gated(shop, "true")
    assert shop.deliver().status is Status.DELIVERED


def test_a_change_is_carried_by_the_delivery_of_a_newer_commit_that_contains_it(shop: Shop) -> None:
    older, newer = shop.commit(index_dot_html="one\n"), shop.commit(index_dot_html="two\n")
    waiting = shop.deliver(newer)
    assert shop.deliver(older).id == waiting.id, "two jobs of a CI service came in the other order"
    assert f"{older.short} is part of {newer.short}, which {waiting.id} carries" in shop.told("info")

    shop.advance(deliver.approve(shop.services, waiting.id, by="bob@example.com"))
    delivered = shop.deliver(older)
    assert (delivered.id, delivered.status) == (waiting.id, Status.DELIVERED)
    assert f"{older.short} is delivered already, as part of {newer.short}, as {waiting.id}" in shop.told("info")


def test_a_commit_that_was_taken_from_the_branch_carries_nothing(shop: Shop) -> None:
    older, newer = shop.commit(index_dot_html="one\n"), shop.commit(index_dot_html="two\n")
    taken = shop.deliver(newer)
    shop.git("reset", "--quiet", "--hard", older.commit)
    waiting = shop.deliver()
    assert (waiting.commit, waiting.status) == (older.commit, Status.WAITING)
    assert shop.services.store.delivery(taken.id).status is Status.SUPERSEDED


def test_a_change_travels_by_itself_where_the_newer_one_failed_or_was_taken_back(shop: Shop) -> None:
    older, newer = shop.commit(index_dot_html="one\n"), shop.commit(index_dot_html="rude\n")
    assert shop.deliver(newer).status is Status.FAILED
    waiting = shop.deliver(older)
    assert (waiting.commit, waiting.status) == (older.commit, Status.WAITING)

    shop.advance(deliver.approve(shop.services, waiting.id, by="bob@example.com"))
    newest = shop.deliver(shop.commit(index_dot_html="three\n"))
    shop.advance(deliver.approve(shop.services, newest.id, by="bob@example.com"))
    rollback.rollback(shop.services, "production")
    assert shop.deliver(older).id == waiting.id, "production runs it, and no longer the newest, which contains it"


def test_what_production_runs_brings_nothing_newer_in_that_contains_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging, production = shop.services.spec.stages
    stages = (dataclasses.replace(staging, branch=None), production)
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")
    change, delivered = shop.services.repo.head(), shop.deliver()

    def breaks(*arguments: Any) -> Any:
        raise PlatformError("HTTP 503")

    shop.commit(index_dot_html="two\n")
    with monkeypatch.context() as patched:
        patched.setattr(shop.services.heroku.promotions, "create", breaks)
        with pytest.raises(PlatformError):
            shop.deliver()
    assert shop.deliver(change).id == delivered.id
    assert shop.slug(shop.app("production")) == delivered.slug_id


def test_a_commit_on_another_branch_is_refused_with_the_way_out_that_fits(shop: Shop) -> None:
    first, *others = shop.services.spec.stages
    shop.git("switch", "--quiet", "--create", "other")
    change = shop.commit(index_dot_html="two\n")
    hints = {}
    for branch in "main", "trunk":
        named = dataclasses.replace(first, branch=branch)
        shop.services.spec = dataclasses.replace(shop.services.spec, stages=(named, *others))
        with pytest.raises(UsageError, match=f"is not on '{branch}'") as refused:
            deliver.start_delivery(shop.services, change)
        hints[branch] = refused.value.hint
    assert hints == {
        "main": "merge it into main, or try it in a review app: herodeploy review create",
        "trunk": "there is no such branch here; write the one that is meant under stages.staging.branch, or fetch it",
    }
