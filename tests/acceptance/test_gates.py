"""Locks, holds and overrides, as a person at a shell sees them."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any
BOB = {"HERODEPLOY_ACTOR": "bob@example.com"}


def test_a_lock_keeps_out_until_it_is_taken_away(shop: Person) -> None:
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    assert shop.herodeploy("locks").out == "nothing is locked\n"
    told = shop.herodeploy("lock", "--why", "the sale", "--for", "2h", **BOB).out
    assert told.startswith("production is locked until 20")
    [lock] = shop.herodeploy("locks", "--json").json()["locks"]
    assert told.endswith(
        ": the sale\n  it keeps others out, and deliveries under way; what you ask for from now on may pass it\n"
        f"  undo it: herodeploy unlock {lock['id']}\n"
    )
    assert (lock["scope"], lock["by"], lock["why"], lock["warning"]) == (
        "production",
        "bob@example.com",
        "the sale",
        False,
    )
    head, row = shop.herodeploy("locks").out.splitlines()
    assert head.split() == ["LOCK", "PLACE", "KIND", "BY", "SINCE", "UNTIL", "WHY"]
    assert row.startswith(f"{lock['id']}  production  lock  bob@example.com")
    assert row.endswith("the sale")

    assert "production is locked by bob@example.com until" in shop.herodeploy("deliver").out
    ended = shop.herodeploy("unlock")
    assert ended.out.startswith("unlocked production: the lock of bob@example.com, set ")
    assert ended.err.endswith(": delivered\n")
    assert shop.fetch("shop-production", "/index.html")[0] == 200

    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("lock", "--why", "the sale", **BOB)
    shop.herodeploy("deliver")
    planned = shop.herodeploy("promote", "--dry-run").out.splitlines()
    reason = "production is locked by bob@example.com: the sale"
    assert planned[-2:] == [f"but lock: {reason}", "nothing is changed"]
    assert shop.herodeploy("promote", "--dry-run", "--json").json()["refused_by"] == [{"by": "lock", "reason": reason}]
    refused = shop.herodeploy("promote", code=1).err
    assert "lock: production is locked by bob@example.com: the sale" in refused
    assert "herodeploy promote production --override --reason TEXT" in refused
    assert "--reason" in shop.herodeploy("promote", "--override", code=2).err
    shop.herodeploy("promote", "--override", "--reason", "bob agrees")
    assert shop.fetch("shop-production", "/index.html") == (200, "two\n")
    assert (
        "overrode gate lock, which says WAIT, before production by hand: bob agrees" in shop.herodeploy("history").out
    )
    shop.herodeploy("unlock")
    assert "production is not locked" in shop.herodeploy("unlock", code=2).err
    assert "--why" in shop.herodeploy("lock", code=2).err


def test_a_hold_is_explained_and_overridden_and_lifted(shop: Person) -> None:
    shop.herodeploy("mode", "deployment", "--why", "quicker")
    shop.herodeploy("deliver")
    shop.commit("Two", index_dot_html="two\n")
    shop.herodeploy("deliver")
    told = shop.herodeploy("rollback", "production", "--why", "one was better").err
    assert "automatic promotion pauses; go on with: herodeploy resume-auto production" in told
    status = shop.herodeploy("status").out
    assert "\nheld: production, by ann@example.com" in status
    assert ": one was better; go on with: herodeploy resume-auto production\n" in status

    shop.commit("Three", index_dot_html="three\n")
    assert "automatic promotion into production pauses" in shop.herodeploy("deliver").out
    shop.herodeploy("lock", "--for", "1h", "--why", "lunch", **BOB)
    status = shop.herodeploy("status")
    assert "\nlocked: production, by bob@example.com" in status.out
    [lock] = shop.herodeploy("status", "--json").json()["stages"][1]["locks"]
    assert lock["why"] == "lunch"

    delivery = shop.waiting()
    head, *lines = shop.herodeploy("why").out.splitlines()
    assert head == f"{delivery}  {shop.git('rev-parse', '--short=8', 'HEAD')}  waiting at production"
    assert [line.split()[:2] for line in lines[:4]] == [
        ["PASS", "ci:"],
        ["PASS", "upstream:"],
        ["WAIT", "lock:"],
        ["WAIT", "hold:"],
    ]
    assert " until 20" in lines[2]
    assert "asked again at" not in lines[2], "it says so itself"
    assert lines[4].startswith("  not before 20")
    assert lines[5] == f"  decide against a gate: herodeploy override lock --reason TEXT --delivery {delivery}"
    told = shop.herodeploy("why", delivery[-4:], "--json").json()
    assert (told["answer"], told["delivery"]["id"], told["not_before"]) == (
        "WAIT",
        delivery,
        told["verdicts"][2]["until"],
    )
    assert (told["decide"], told["rejected"]) == (["lock", "hold"], False)
    facts = told["verdicts"][3]["facts"]
    assert facts.pop("in_the_way_since") <= told["delivery"]["updated_at"]
    assert facts == {"held": True, "taken_back": False}

    assert "waiting at production" in shop.herodeploy("override", "lock", "--reason", "bob agrees").out
    first = shop.herodeploy("why").out.splitlines()[3]
    assert first.startswith("  OVERRIDDEN  lock: ann@example.com overrode it (bob agrees); it says WAIT: production is")
    ended = shop.herodeploy("resume-auto")
    assert ended.out.startswith("automatic promotion into production goes on; ann@example.com had put an older release")
    assert ended.err.endswith(": delivered\n")
    assert shop.fetch("shop-production", "/index.html") == (200, "three\n")
    assert shop.herodeploy("resume-auto").out == "automatic promotion into production was not held\n"
    assert "OVERRIDDEN" in shop.herodeploy("why", delivery).out
    assert "--reason" in shop.herodeploy("override", "lock", code=2).err


def test_what_failed_in_a_leg_is_tried_again_on_demand_alone(shop: Person) -> None:
    shop.commit("Crash", Procfile="web: exit 7\n")
    shop.herodeploy("deliver", code=1)
    refused = shop.herodeploy("deliver", code=1)
    assert "is not tried again by itself" in refused.err
    assert "herodeploy deliver --retry" in refused.err
    assert shop.herodeploy("resume").out == "nothing is open\n"
    told = shop.herodeploy("why").out
    assert "failed at staging" in told
    assert "try that commit again: herodeploy deliver --retry" in told
    assert (
        "failed in its leg"
        in shop.herodeploy("override", "ci", "--reason", "x", "--delivery", shop.waiting(), code=2).err
    )
    shop.herodeploy("deliver", "--retry", code=1)
    assert len(shop.herodeploy("status", "--json").json()["deliveries"]) == 2


def test_deployment_mode_is_refused_where_the_file_wants_an_approval_in_either_mode(shop: Person) -> None:
    shop.replace(
        "herodeploy.yml", "    on_failure:", "    gates:\n      - approval: {optional: false}\n    on_failure:"
    )
    lines = (shop.root / "herodeploy.yml").read_text().splitlines()
    line = 1 + next(at for at, text in enumerate(lines) if "optional: false" in text)
    refused = shop.herodeploy("mode", "deployment", code=2).err
    assert f"herodeploy.yml:{line}: stages.production.gates has an approval with `optional: false`" in refused
    assert shop.herodeploy("mode").out.startswith("shop: delivery")
    shop.replace("herodeploy.yml", "mode: delivery", "mode: deployment")
    assert f"herodeploy.yml:{line}: stages.production.gates has" in shop.herodeploy("apply", code=2).err
