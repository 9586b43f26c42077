"""What commands tell a person to do next, and what they keep to themselves because it would not help."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from support.workers import working

pytestmark = pytest.mark.acceptance
Person = Any
BOB = {"HERODEPLOY_ACTOR": "bob@example.com"}


def test_of_what_has_ended_no_times_are_told_and_nothing_that_would_be_refused(shop: Person) -> None:
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    shop.herodeploy("lock", "--why", "lunch", "--for", "2h", **BOB)
    shop.herodeploy("deliver")
    first = shop.waiting()
    assert "  not before 20" in shop.herodeploy("why").out
    shop.herodeploy("reject", first, "-m", "numbers are wrong", **BOB)
    told = shop.herodeploy("why").out.splitlines()
    assert "  WAIT  lock: production is locked by bob@example.com until 20" in "\n".join(told)
    assert told[-2] == "  FAIL  approval: rejected by bob@example.com: numbers are wrong"
    assert told[-1].startswith("  try that commit again: herodeploy deliver --retry ")
    assert "asked again at" not in "\n".join(told)
    assert "not before" not in "\n".join(told)

    shop.herodeploy("unlock", **BOB)
    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("deliver")
    assert "  delivered" in shop.herodeploy("why").out.splitlines()[0]
    assert (
        "none that failed at a gate may come back" in shop.herodeploy("override", "lock", "--reason", "x", code=2).err
    )


def test_a_person_is_asked_for_a_yes_where_one_is_wanted_and_for_an_override_elsewhere(shop: Person) -> None:
    shop.herodeploy("lock", "--why", "lunch", **BOB)
    shop.herodeploy("deliver")
    delivery = shop.waiting()
    approve, reject = f"herodeploy approve {delivery}", f"  or refuse it: herodeploy reject {delivery}"
    assert shop.herodeploy("status").out.splitlines()[-2:] == [
        f"  WAIT  approval: waits for an approval: {approve}",
        reject,
    ]
    overrides = [line for line in shop.herodeploy("why").out.splitlines() if "herodeploy override" in line]
    assert overrides == [f"  decide against a gate: herodeploy override lock --reason TEXT --delivery {delivery}"]
    shop.herodeploy("unlock", **BOB)
    assert shop.herodeploy("why").out.splitlines()[-1] == f"  WAIT  approval: waits for an approval: {approve}"

    shop.herodeploy("lock", "--why", "lunch", **BOB)
    approved = shop.herodeploy("approve", delivery).out.splitlines()
    assert approved[2:] == [f"  refuse it: herodeploy reject {delivery}"]
    assert shop.herodeploy("status").out.splitlines()[-1] == f"  refuse it: herodeploy reject {delivery}"
    shop.herodeploy("mode", "deployment")
    assert "herodeploy approve" not in shop.herodeploy("deliver").out + shop.herodeploy("status").out


def test_what_waits_for_a_time_says_who_carries_it_on(shop: Person) -> None:
    shop.herodeploy("mode", "deployment")
    shop.herodeploy("lock", "--why", "lunch", "--for", "2h", **BOB)
    [lock] = shop.herodeploy("locks", "--json").json()["locks"]
    told = shop.herodeploy("deliver").out.splitlines()[-1]
    ends = f"{datetime.fromisoformat(lock['until']):%Y-%m-%d %H:%M} UTC"
    assert told == f"  carry it on after {ends} with: herodeploy resume, or keep a worker running: herodeploy worker"
    with working(shop, "first") as worker:
        worker.until("works on shop")
        assert "carry it on" not in shop.herodeploy("deliver").out, "somebody sees to it"
        assert worker.end() == 0
    shop.herodeploy("lock", "--why", "until he says so", **BOB)
    assert "carry it on" not in shop.herodeploy("deliver").out, "time alone does not help"


def test_a_yes_that_does_not_count_is_said_to_be_none(shop: Person) -> None:
    shop.replace("herodeploy.yml", "    on_failure:", "    gates:\n      - approval: {by_other: true}\n    on_failure:")
    shop.herodeploy("deliver")
    delivery = shop.waiting()
    told = shop.herodeploy("approve", delivery)
    assert "the yes of ann@example.com is recorded and does not count: the author's own" in told.err.splitlines()[0]
    assert "  waiting at production" in told.out
    assert "approved for production by ann@example.com" in shop.herodeploy("history").out
    heard = shop.herodeploy("approve", delivery, **BOB)
    assert "does not count" not in heard.err
    assert "  delivered" in heard.out


def test_what_failed_or_broke_says_how_it_is_tried_again(shop: Person) -> None:
    shop.herodeploy("deliver")
    assert shop.herodeploy("targets").out.splitlines()[0].endswith("  BEGAN"), "nothing is to be explained"
    unknown = shop.herodeploy("targets", "nope", code=2).err
    assert unknown.splitlines()[1] == "  -> see: herodeploy status; or a stage: staging, production"

    web = (shop.root / "Procfile").read_text()
    shop.commit("Break", Procfile=f"{web}release: sh -c 'exit 3'\n")
    again = f"  try that commit again: herodeploy deliver --retry {shop.git('rev-parse', '--short=8', 'HEAD')}"
    assert shop.herodeploy("deliver", code=1).out.splitlines()[-1] == again
    assert shop.herodeploy("why", shop.waiting()).out.splitlines()[-1] == again
    assert shop.herodeploy("targets").out.splitlines()[0].endswith("  WHY")

    shop.commit("Mend", Procfile=web)
    shop.herodeploy("local", "fault", "error", "--route", "POST /apps/{app}/builds", "--count", "0")
    assert "is kept as it stands; carry it on: herodeploy resume" in shop.herodeploy("deliver", code=3).err
    with working(shop, "first") as worker:
        worker.until("works on shop")
        told = shop.herodeploy("deliver", code=3).out.splitlines()[-1]
        assert told.endswith(", the worker of this pipeline, tries it again; or carry it on: herodeploy resume")
        assert worker.end() == 0
