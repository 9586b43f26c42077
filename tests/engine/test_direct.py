from __future__ import annotations

from typing import Any

import pytest

from herodeploy.engine.direct import DirectEngine
from herodeploy.engine.port import Engine, Run
from herodeploy.errors import Refused


def test_it_runs_steps_as_they_come_and_an_id_once() -> None:
    calls: list[object] = []

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        calls.append(payload)
        return {"sum": run.step("add", lambda a, b: a + b, 1, 2), "pair": run.step("pair", lambda: (1, 2))}

    engine: Engine = DirectEngine({"leg": leg})
    assert engine.run("d/1", "leg", {"n": 1}) == {"sum": 3, "pair": [1, 2]}
    assert engine.run("d/1", "leg", {"n": 2}) == {"sum": 3, "pair": [1, 2]}
    assert calls == [{"n": 1}]
    engine.close()


def test_an_error_passes_and_stays() -> None:
    refusals = [Refused("no"), Refused("again no")]

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        raise refusals.pop(0)

    engine = DirectEngine({"leg": leg})
    for _ in range(2):
        with pytest.raises(Refused, match=r"^no$"):
            engine.run("d/1", "leg", {})


def test_an_interrupt_ends_nothing() -> None:
    cuts = [KeyboardInterrupt()]

    def leg(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
        if cuts:
            raise cuts.pop()
        return {}

    engine = DirectEngine({"leg": leg})
    with pytest.raises(KeyboardInterrupt):
        engine.run("d/1", "leg", {})
    assert engine.run("d/1", "leg", {}) == {}


def test_what_is_not_plain_json_is_refused_as_by_the_durable_one() -> None:
    engine = DirectEngine({"leg": lambda run, payload: run.step("look", lambda: {1})})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="the result of step look is not plain JSON"):
        engine.run("d/1", "leg", {})
