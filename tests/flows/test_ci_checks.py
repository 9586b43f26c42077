"""CI by GitHub's checks, over HTTP as GitHub speaks it; the time passes where it would be waited for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import github as support

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import CiSpec
from herodeploy.errors import ForgeError, Refused
from herodeploy.flows import ci, ci_checks

Shop = Any
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def shop(make: Callable[..., Shop]) -> Shop:
    checks = {"repository": "acme/shop", "require": ["test"], "allow_failure": ["coverage"]}
    return make(ci=CiSpec("checks", timeout=timedelta(minutes=10), checks=checks))


def meanwhile(shop: Shop, *doings: Callable[[], object]) -> list[float]:
    """Let something happen in each pause, which then takes no time; returns how long the pauses would have been."""
    now, left, pauses = [NOON], list(doings), []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += timedelta(seconds=seconds)
        if left:
            left.pop(0)()

    shop.services.clock = lambda: now[0]
    shop.services.pause = pause
    return pauses


def test_it_waits_for_what_is_required(shop: Shop, github: support.GitHub) -> None:
    change = shop.services.repo.head()
    github.run(change.commit, "coverage", "failure")
    pauses = meanwhile(shop, lambda: github.run(change.commit, "test", None), lambda: github.run(change.commit, "test"))
    assert ci.run(shop.services, change).status == "succeeded"
    assert pauses == [15, 15]
    short = change.short
    assert shop.told("wait") == [f"missing: test never reported for {short}", f"test is not done for {short}"]
    assert shop.told("done")[-1] == f"1 check succeeded for {short}; coverage says failure, which is allowed"


def test_a_no_ends_the_delivery(shop: Shop, github: support.GitHub) -> None:
    github.run(shop.services.repo.head().commit, "test", "failure")
    failed = shop.deliver()
    assert (failed.status, failed.ci, failed.reason) == (
        Status.FAILED,
        "failed",
        f"test says failure for {failed.short}",
    )
    assert shop.kinds(failed)[-1] == "ci.failed"


def test_a_yes_lets_it_on(shop: Shop, github: support.GitHub) -> None:
    github.run(shop.services.repo.head().commit, "test")
    waiting = shop.deliver()
    assert (waiting.status, waiting.at_stage, waiting.ci) == (Status.WAITING, "production", "succeeded")


def test_no_answer_in_time_is_no_answer_of_the_tests(shop: Shop, github: support.GitHub) -> None:
    change = shop.services.repo.head()
    github.run(change.commit, "test", None)
    pauses = meanwhile(shop)
    with pytest.raises(Refused, match=f"not green within 10m: test is not done for {change.short}"):
        ci.run(shop.services, change)
    assert sum(pauses) == 600
    assert len(shop.told("wait")) == 1, "the same is told once"


def test_the_time_counts_from_the_first_beginning(shop: Shop, github: support.GitHub) -> None:
    change = shop.services.repo.head()
    github.run(change.commit, "test", None)
    pauses = meanwhile(shop)
    began = NOON - timedelta(minutes=9, seconds=50)
    assert ci_checks.wait_for_checks(shop.services, change.commit, began.isoformat())["status"] == "errored"
    assert pauses == [10]


def test_trouble_at_github_is_sat_out(shop: Shop, github: support.GitHub) -> None:
    change = shop.services.repo.head()
    github.run(change.commit, "test")
    github.trouble = (502, {}, "<html>")

    def slow_down() -> None:
        github.trouble = (429, {"Retry-After": "120"}, {"message": "API rate limit exceeded"})

    def mend() -> None:
        github.trouble = None

    pauses = meanwhile(shop, slow_down, mend)
    assert ci.run(shop.services, change).status == "succeeded"
    assert pauses == [15, 120]


def test_trouble_that_does_not_end_is_no_failure(shop: Shop, github: support.GitHub) -> None:
    github.trouble = (502, {}, "<html>")
    meanwhile(shop)
    with pytest.raises(ForgeError, match="GitHub answered HTTP 502"):
        shop.deliver()
    [errored] = shop.services.store.deliveries(shop.services.pipeline().id)
    assert errored.status is Status.ERRORED
    github.trouble = None
    github.run(errored.commit, "test")
    [waiting] = shop.like().resume()
    assert (waiting.status, waiting.ci) == (Status.WAITING, "succeeded")


def test_a_refusal_is_told_at_once(shop: Shop, github: support.GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    pauses = meanwhile(shop)
    with pytest.raises(ForgeError, match="GitHub refuses the token in GITHUB_TOKEN"):
        ci.run(shop.services, shop.services.repo.head())
    assert pauses == []
