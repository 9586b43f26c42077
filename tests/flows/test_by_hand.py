"""A person who promotes by hand meets the gates that hold for people, too."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from support.two_apps import two_apps

from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer, Facts, Question, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.domain.promotion import Refusal
from herodeploy.errors import PlatformUnreachable, Refused, UsageError
from herodeploy.flows import deliver, locks, promote, rollback
from herodeploy.flows.by_hand import check_reason
from herodeploy.flows.choose import Wish
from herodeploy.flows.waiting import until
from herodeploy.flows.watch import upload
from herodeploy.gates import registry
from herodeploy.gates.registry import Cost, Gate

Shop = Any


@pytest.fixture
def locked(shop: Shop) -> Shop:
    """Staging has a release, production is locked by bob."""
    shop.deliver()
    shop.services.actor = "bob@example.com"
    locks.lock(shop.services, why="the sale")
    shop.services.actor = "ann@example.com"
    return shop


def test_a_lock_of_somebody_elses_refuses_and_says_the_way_out(locked: Shop) -> None:
    with pytest.raises(Refused) as refused:
        promote.promote(locked.services)
    assert refused.value.message == "lock: production is locked by bob@example.com: the sale"
    assert refused.value.hint.endswith("herodeploy promote production --override --reason TEXT")
    app = locked.app("production")
    with pytest.raises(Refused) as refused:
        promote.promote(locked.services, wish=Wish(only=(app,)))
    assert refused.value.hint.endswith(f"herodeploy promote production --only {app} --override --reason TEXT")
    assert locked.slug(app) is None
    assert locked.services.store.occupant(locked.services.pipeline().id, "production") is None
    assert "promotion.started" not in locked.kinds()


def test_a_plan_says_what_would_refuse_it_and_asks_as_the_promotion_does(locked: Shop) -> None:
    kinds = locked.kinds()
    plan = promote.plan(locked.services, Wish())
    assert plan.refused_by == (Refusal("lock", "production is locked by bob@example.com: the sale"),)
    assert plan.to_json()["refused_by"] == [{"by": "lock", "reason": plan.refused_by[0].reason}]

    assert promote.plan(locked.services, Wish(), override="bob agrees").refused_by == ()
    assert locked.told("warning") == ["lock says WAIT: production is locked by bob@example.com: the sale"]
    assert locked.kinds() == kinds, "a plan records nothing"
    locked.services.actor = "bob@example.com"
    assert promote.plan(locked.services, Wish()).refused_by == ()

    promote.promote(locked.services)
    locked.services.actor = "ann@example.com"
    plan = promote.plan(locked.services, Wish())
    assert (plan.there, plan.refused_by) == (True, ()), "what is there already asks nobody"


def test_the_owner_of_a_lock_passes_it(locked: Shop) -> None:
    locked.services.actor = "bob@example.com"
    promote.promote(locked.services)
    assert locked.slug(locked.app("production")) == locked.slug(locked.app("staging"))


def test_an_override_goes_past_it_and_is_recorded(locked: Shop) -> None:
    promote.promote(locked.services, override="bob agrees")
    assert locked.slug(locked.app("production")) == locked.slug(locked.app("staging"))
    events = locked.services.store.events(locked.services.pipeline().id)
    [event] = [each for each in events if each.kind == "gate.overridden"]
    assert event.text == "overrode gate lock, which says WAIT, before production by hand: bob agrees"
    assert (event.actor, event.data["gate"], event.data["by_hand"]) == ("ann@example.com", "lock", True)
    assert event.data["says"] == "production is locked by bob@example.com: the sale"

    promote.promote(locked.services)
    assert locked.kinds().count("promotion.succeeded") == 1, "what is there already asks nobody"


def test_a_rollback_is_free_and_says_whose_lock_is_there(locked: Shop) -> None:
    promote.promote(locked.services, override="first")
    locked.commit(index_dot_html="two\n")
    locked.deliver()
    promote.promote(locked.services, override="second")
    locked.notes.clear()
    rollback.rollback(locked.services, "production")
    assert locked.told("warning") == ["production is locked by bob@example.com: the sale"]


def test_a_warning_is_told(shop: Shop) -> None:
    shop.deliver()
    locks.lock(shop.services, why="be gentle", warning=True)
    promote.promote(shop.services)
    assert shop.told("warning") == ["ann@example.com warns of production: be gentle"]


def test_a_gate_that_looks_is_asked_without_a_delivery(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look gets the release that is promoted; what it saw is not kept, and what it could not see refuses."""
    asked: list[tuple[str, str | None]] = []
    down = True

    def look(question: Question) -> Mapping[str, object]:
        asked.append((question.facts.commit, question.facts.slug_id))
        if down:
            raise PlatformUnreachable("the network is down")
        return {"fine": True}

    def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
        observed = facts.observed(spec)
        return Verdict("seen", Answer.PASS if observed and observed.data["fine"] else Answer.FAIL, "as seen")

    never = Gate("never", lambda facts, spec, now: Verdict("never", Answer.FAIL, "no"))
    monkeypatch.setitem(registry.GATES, "seen", Gate("seen", ask, cost=Cost.LOOKS, look=look, by_hand=True))
    monkeypatch.setitem(registry.GATES, "never", never)
    waiting = shop.deliver()
    first, last = shop.services.spec.stages
    gated = dataclasses.replace(last, gates=(GateSpec("seen"), GateSpec("never")))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, gated))

    with pytest.raises(Refused, match="seen: could not look: the network is down"):
        promote.promote(shop.services)
    down = False
    promote.promote(shop.services)
    assert asked == [(waiting.commit, waiting.slug_id)] * 2
    assert shop.slug(shop.app("production")) == waiting.slug_id, "a gate that is the person's own is not asked"


def test_an_override_and_its_reason_belong_together() -> None:
    assert check_reason(False, None) is None
    assert check_reason(True, " bob agrees ") == "bob agrees"
    with pytest.raises(UsageError, match="--override wants a reason"):
        check_reason(True, " ")
    with pytest.raises(UsageError, match="no meaning without --override"):
        check_reason(False, "why not")


def built_by_somebody(shop: Shop) -> str | None:
    """Let somebody build a newer commit in staging without a delivery; return its artifact."""
    change, app, before = shop.commit(index_dot_html="two\n"), shop.app("staging"), shop.slug(shop.app("staging"))
    shop.services.heroku.builds.create(app, upload(shop.services, change.commit), change.commit)
    until(shop.services, lambda: True if shop.slug(app) != before else None)
    return shop.slug(app)


def test_what_is_older_than_what_a_person_promotes_does_not_come_after_it(shop: Shop) -> None:
    older = shop.deliver()
    newer = built_by_somebody(shop)
    promote.promote(shop.services)

    [event, *_] = shop.services.store.events(older.pipeline_id, older.id)
    superseded = shop.services.store.delivery(older.id)
    assert superseded.status is Status.SUPERSEDED
    assert (event.kind, event.stage) == ("delivery.superseded", "production")
    assert event.text.startswith(f"{older.short} is superseded by a promotion by hand: {shop.app('staging')} v")
    assert f"{older.id} ({older.short}) is superseded" in shop.told("info")
    assert shop.resume() == []
    assert shop.slug(shop.app("production")) == newer


def test_what_is_newer_than_what_a_person_promotes_waits_on(shop: Shop) -> None:
    shop.deliver()
    promote.promote(shop.services)
    version = shop.versions(shop.app("staging"))[-1][0]
    shop.commit(index_dot_html="two\n")
    newer = shop.deliver()
    promote.promote(shop.services, wish=Wish(release=f"v{version}"))
    assert shop.services.store.delivery(newer.id).status is Status.WAITING


def test_what_errored_half_way_in_does_not_come_after_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    older = shop.deliver()
    monkeypatch.setattr(shop.services.heroku.promotions, "create", unreachable)
    with pytest.raises(PlatformUnreachable):
        shop.advance(deliver.approve(shop.services, older.id))
    monkeypatch.undo()
    newer = built_by_somebody(shop)
    promote.promote(shop.services)
    assert shop.services.store.delivery(older.id).status is Status.SUPERSEDED
    assert shop.resume() == []
    assert shop.slug(shop.app("production")) == newer


def unreachable(*_: object) -> None:
    raise PlatformUnreachable("no answer")


def test_one_app_of_a_stage_supersedes_nothing(make: Any) -> None:
    shop = two_apps(make)
    shop.apply()
    older = shop.deliver()
    built_by_somebody(shop)
    promote.promote(shop.services, wish=Wish(only=(shop.app("production"),)))
    assert shop.services.store.delivery(older.id).status is Status.WAITING
    promote.promote(shop.services, wish=Wish(only=(shop.app("production", 1),)))
    assert shop.services.store.delivery(older.id).status is Status.SUPERSEDED
