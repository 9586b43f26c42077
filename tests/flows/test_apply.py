"""herodeploy.yml made true."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from herodeploy.domain.pipeline import Stage
from herodeploy.domain.plan import Recouple
from herodeploy.errors import UsageError
from herodeploy.flows import apply, status

Shop = Any


def test_a_second_run_changes_nothing(make: Any) -> None:
    shop = make(applied=False)
    with pytest.raises(UsageError, match="is not on") as missing:
        shop.services.pipeline()
    assert missing.value.hint == "create it: herodeploy apply"
    planned = apply.plan(shop.services)
    assert [type(action).__name__ for action in planned] == [
        "CreatePipeline",
        "CreateApp",
        "Couple",
        "CreateApp",
        "Couple",
        "EnableReviewApps",
    ]
    assert json.dumps([action.to_json() for action in planned])
    apply.apply(shop.services, planned)
    assert apply.plan(shop.services) == []


def test_what_was_cut_is_finished(make: Any) -> None:
    shop = make(applied=False)
    apply.apply(shop.services, apply.plan(shop.services)[:2])
    assert [type(action).__name__ for action in apply.plan(shop.services)][:2] == ["Couple", "CreateApp"]


def test_an_app_in_the_wrong_stage_is_moved(shop: Shop) -> None:
    staging = shop.app("staging")
    coupling = shop.services.heroku.couplings.of_app(staging)
    shop.services.heroku.couplings.update(coupling.id, Stage.DEVELOPMENT)
    planned = apply.plan(shop.services)
    assert planned == [Recouple(staging, coupling.id, Stage.DEVELOPMENT, Stage.STAGING)]
    apply.apply(shop.services, planned)
    assert apply.plan(shop.services) == []


def test_an_app_that_the_file_names_no_longer_is_told(shop: Shop) -> None:
    assert apply.not_named(shop.services) == []
    *others, last = shop.services.spec.stages
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=tuple(others))
    assert apply.not_named(shop.services) == list(last.apps)
    assert apply.plan(shop.services) == [], "it is left alone"


def test_an_app_of_another_pipeline_is_left_there(shop: Shop, make: Any) -> None:
    other = make(applied=False)
    first = dataclasses.replace(other.services.spec.first, apps=(shop.app("staging"),), waves=((shop.app("staging"),),))
    other.services.spec = dataclasses.replace(other.services.spec, stages=(first,))
    with pytest.raises(UsageError, match="already in another pipeline"):
        apply.plan(other.services)


def test_new_apps_get_what_app_json_gives(make: Any) -> None:
    env = {"GREETING": "hello", "KEY": {"generator": "secret"}, "WANTED": {"description": "no value"}}
    shop = make({"app.json": json.dumps({"env": env})})
    values = {name: value.reveal() for name, value in shop.services.heroku.config_vars.get(shop.app("staging")).items()}
    assert (values["GREETING"], len(values["KEY"])) == ("hello", 64)
    [first, _] = shop.told("warning")
    assert "WANTED=..." in first


def test_a_name_that_the_platform_refuses_is_named(make: Any) -> None:
    shop = make(applied=False)
    first = dataclasses.replace(shop.services.spec.first, apps=("Not A Name",), waves=(("Not A Name",),))
    shop.services.spec = dataclasses.replace(shop.services.spec, stages=(first,))
    with pytest.raises(UsageError, match="'Not A Name'"):
        apply.apply(shop.services, apply.plan(shop.services))


def test_the_snapshot_shows_what_runs_and_what_waits(shop: Shop) -> None:
    empty = status.snapshot(shop.services).to_json()
    assert empty["stages"][0]["apps"][0]["slug_id"] is None
    waiting = shop.deliver()

    told = json.loads(json.dumps(status.snapshot(shop.services).to_json()))

    staging, production = told["stages"]
    assert (staging["apps"][0]["commit"], staging["apps"][0]["verified"]) == (waiting.commit, True)
    assert staging["apps"][0]["dynos"] == {"up": 1}
    assert production["apps"][0]["slug_id"] is None
    assert told["mode"]["mode"] == "delivery"
    [delivery] = told["deliveries"]
    assert (delivery["id"], delivery["status"]) == (waiting.id, "waiting")
    assert [verdict["name"] for verdict in delivery["waits_for"]] == ["approval"]
    events = [status.event_json(event) for event in status.history(shop.services, delivery=waiting.id)]
    assert events[0]["kind"] == "gates.waiting"
    assert json.dumps(events)
