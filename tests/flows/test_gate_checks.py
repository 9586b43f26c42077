"""The gate that asks GitHub, over HTTP as GitHub speaks it, before the stages of a real pipeline."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from support import github as support

from herodeploy.domain.delivery import Status
from herodeploy.domain.pipeline import GateSpec
from herodeploy.flows.looks import checks as looks

Shop = Any


def gated(shop: Shop, **options: Any) -> None:
    first, last = shop.services.spec.stages
    last = dataclasses.replace(last, gates=(GateSpec("checks", options),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, last), mode="deployment")


def test_it_goes_on_when_all_is_green_on_github(shop: Shop, github: support.GitHub) -> None:
    shop.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    gated(shop, require=["test", "lint"], allow_failure=["coverage"])
    commit = shop.services.repo.head().commit
    github.run(commit, "coverage", "failure")
    github.run(commit, "test", None)
    waiting = shop.deliver()
    short = waiting.short
    assert waiting.reason == f"missing: lint never reported for {short}; test is not done for {short}"
    assert waiting.recheck_at is not None
    github.run(commit, "test")
    github.status(commit, "lint")
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    [verdict] = [v for v in shop.services.store.gates.verdicts(waiting.id, "production") if v.kind == "checks"]
    assert verdict.reason == f"2 checks succeeded for {short}; coverage says failure, which is allowed"
    assert "s3cret" not in json.dumps(dict(verdict.facts))


def test_a_no_fails(shop: Shop, github: support.GitHub) -> None:
    gated(shop, repository="acme/shop")
    github.run(shop.services.repo.head().commit, "test", "failure")
    failed = shop.deliver()
    assert (failed.status, failed.reason) == (Status.FAILED, f"test says failure for {failed.short}")


def test_no_answer_waits_and_says_what_to_do(
    shop: Shop, github: support.GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, repository="acme/shop")
    commit = shop.services.repo.head().commit
    github.unknown.add(commit)
    waiting = shop.deliver()
    assert waiting.reason == (f"could not look: GitHub does not know commit {waiting.short} in acme/shop; git push")
    github.trouble = (502, {}, "<html>")
    [waiting] = shop.resume()
    assert waiting.reason == "could not look: GitHub answered HTTP 502 to a question about acme/shop"
    github.trouble = None
    monkeypatch.setenv("GITHUB_TOKEN", "wrong")
    [waiting] = shop.resume()
    assert waiting.reason == (
        "could not look: GitHub refuses the token in GITHUB_TOKEN; put one that is valid into GITHUB_TOKEN"
    )
    assert waiting.status is Status.WAITING


def test_while_github_asks_for_a_pause_nothing_is_asked(shop: Shop, github: support.GitHub) -> None:
    gated(shop, repository="acme/shop")
    github.run(shop.services.repo.head().commit, "test")
    github.trouble = (429, {"Retry-After": "600"}, {"message": "API rate limit exceeded"})
    waiting = shop.deliver()
    assert waiting.reason.startswith("GitHub takes no more calls until ")
    assert waiting.recheck_at is not None
    github.trouble = None
    asked = len(github.seen)
    [waiting] = shop.resume()
    assert (waiting.status, len(github.seen)) == (Status.WAITING, asked)
    then = waiting.recheck_at
    shop.services.clock = lambda: then
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED


def test_a_blocking_check_that_is_red_on_an_earlier_commit_is_in_the_way(
    shop: Shop, github: support.GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, repository="acme/shop", blocking=["compliance"])
    github.run(shop.services.repo.head().commit, "compliance")
    assert shop.deliver().status is Status.DELIVERED

    bad, fine, last = (shop.commit(f"Change {n}") for n in range(3))
    github.run(bad.commit, "compliance", "failure")
    github.run(fine.commit, "test", "failure")
    github.run(last.commit, "compliance")
    waiting = shop.deliver(last)
    assert (waiting.status, waiting.reason) == (
        Status.WAITING,
        f"compliance is red (failure) on the earlier {bad.short}",
    )
    github.run(bad.commit, "compliance")
    before = github.asked(fine.commit)
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    assert github.asked(fine.commit) == before, "what was green is not asked for again"


def test_a_blocking_check_that_begins_late_on_an_earlier_commit_is_in_the_way(
    shop: Shop, github: support.GitHub
) -> None:
    gated(shop, repository="acme/shop", blocking=["compliance"])
    github.run(shop.services.repo.head().commit, "compliance")
    assert shop.deliver().status is Status.DELIVERED

    bad, last = (shop.commit(f"Change {n}") for n in range(2))
    github.run(bad.commit, "test", None)
    github.run(last.commit, "compliance", None)
    assert shop.deliver(last).status is Status.WAITING
    github.run(bad.commit, "test")
    github.run(bad.commit, "compliance", "failure")
    github.run(last.commit, "compliance")
    [waiting] = shop.resume()
    assert (waiting.status, waiting.reason) == (
        Status.WAITING,
        f"compliance is red (failure) on the earlier {bad.short}",
    )


def test_a_long_way_is_looked_at_in_parts(shop: Shop, github: support.GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "AT_ONCE", 2)
    gated(shop, repository="acme/shop", blocking=["compliance"])
    github.run(shop.services.repo.head().commit, "compliance")
    shop.deliver()
    for number in range(5):
        shop.commit(f"Change {number}")
    change = shop.services.repo.head()
    github.run(change.commit, "compliance")
    waiting = shop.deliver(change)
    assert waiting.reason == "2 earlier commits are still to be looked at"
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    assert timedelta(0) < delivered.updated_at - delivered.created_at
