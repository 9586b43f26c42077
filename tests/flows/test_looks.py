"""A gate that looks at the world: what it saw is its memory, and what goes wrong is no answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer, Facts, Question, Verdict
from herodeploy.domain.pipeline import GateSpec
from herodeploy.errors import PlatformUnreachable
from herodeploy.flows.why import why
from herodeploy.gates import registry
from herodeploy.gates.registry import Cost, Gate

Shop = Any


def test_it_remembers_and_a_look_that_fails_waits(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    down = True

    def look(question: Question) -> Mapping[str, object]:
        if down:
            raise PlatformUnreachable("the network is down")
        seen = question.previous.data.get("seen", 0) if question.previous else 0
        return {"seen": int(str(seen)) + 1}

    def ask(facts: Facts, spec: GateSpec, now: datetime) -> Verdict:
        observed = facts.observed(spec)
        assert observed is not None
        enough = observed.data["seen"] == 2
        return Verdict("counted", Answer.PASS if enough else Answer.WAIT, f"seen {observed.data['seen']} times")

    monkeypatch.setitem(registry.GATES, "counted", Gate("counted", ask, cost=Cost.LOOKS, look=look))
    first, last = shop.services.spec.stages
    gated = dataclasses.replace(last, gates=(GateSpec("counted"),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first, gated), mode="deployment")

    waiting = shop.deliver()
    assert (waiting.status, waiting.reason) == (Status.WAITING, "could not look: the network is down")
    assert waiting.recheck_at is not None
    down = False
    [waiting] = shop.resume()
    assert (waiting.status, waiting.reason, waiting.recheck_at) == (Status.WAITING, "seen 1 times", None)
    [delivered] = shop.resume()
    assert delivered.status is Status.DELIVERED
    [verdict] = [
        each for each in shop.services.store.gates.verdicts(delivered.id, "production") if each.kind == "counted"
    ]
    assert (verdict.name, verdict.answer) == ("counted", "PASS")


def test_a_gate_of_another_kind_under_the_same_name_has_seen_nothing_yet(shop: Shop) -> None:
    first, last = shop.services.spec.stages

    def gated(kind: str, **options: object) -> None:
        gate = GateSpec(kind, {"name": "risk", **options})
        stages = (first, dataclasses.replace(last, gates=(gate,)))
        shop.services.spec = dataclasses.replace(shop.services.spec, stages=stages, mode="deployment")

    gated("http", url="http://127.0.0.1:9/")
    waiting = shop.deliver()
    assert waiting.reason.startswith("could not look: ")
    gated("command", run="true")
    told = {each.name: each.reason for each in why(shop.services, waiting.id).verdicts}
    assert told["risk"] == "`true` has not run yet"
    assert [each.status for each in shop.resume()] == [Status.DELIVERED]
