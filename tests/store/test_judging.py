"""Gates of many deliveries: what is read at once, written where it changed, and not lost meanwhile."""

from __future__ import annotations

import dataclasses

import pytest
from support.deliveries import LATER, NOON, approve, event, now, waiting

from herodeploy.domain.approval import Approval
from herodeploy.domain.delivery import Status
from herodeploy.domain.gate import Answer, Observation, Override, Verdict
from herodeploy.domain.lock import Hold, Lock, TakenBack
from herodeploy.domain.mode import Mode, ModeChange
from herodeploy.domain.pipeline import Stage, StageSpec
from herodeploy.errors import Busy
from herodeploy.store.judging import Judged
from herodeploy.store.store import Store

STAGING = StageSpec("staging", Stage.STAGING, ("shop-a", "shop-b"), (("shop-a", "shop-b"),))


def test_what_gates_may_know_is_read_for_all_at_once(store: Store) -> None:
    deliveries = [waiting(store, number) for number in (1, 2, 3)]
    later, earlier = approve(store, 1, "ann", LATER), approve(store, 1)
    same_elsewhere = waiting(store, 8, slug_id="s2", status=Status.DELIVERED)
    shared = Approval("8", same_elsewhere.id, "production", "s2", "bob", NOON)
    store.gates.add_approval(shared, event("approval.given"))
    foreign = waiting(store, 9, pipeline_id="p2")
    store.gates.add_approval(Approval("9", foreign.id, "production", "s3", "bob", NOON), event("approval.given"))
    override = Override("1", "d2", "production", "s2", "ci", "bob", NOON, "the test is wrong")
    store.gates.add_override(override, event("gate.overridden"))
    seen = Observation(NOON, {"n": 1}, "the network")
    store.gates.record_observation("d3", "production", "http", seen)
    store.gates.record_observation("d3", "staging", "http", seen)
    mark = TakenBack("p1", "production", "c2", "it did not boot", NOON, "d2")
    store.locks.take_back([mark, TakenBack("p1", "staging", "c1", "no", NOON)])
    for app, slug in (("shop-a", "s1"), ("shop-b", "s1"), ("shop-a", "s2"), ("gone", "s2")):
        store.record_verified("p1", "staging", f"id of {app}", f"r {slug}", 3, slug, "c1", "d1", NOON, app)

    known = store.judging.known("p1", "production", [STAGING], {each: each.slug_id or "" for each in deliveries})

    assert known.approvals == {"s1": [earlier, later], "s2": [shared]}
    assert known.overrides == {"d2": [override]}
    assert known.observations == {"d3": {"http": seen}}
    assert known.taken_back == {"c2": mark}
    assert known.verified == {"staging": {"s1"}}, "one app of two is not enough"
    assert store.judging.known("p1", "staging", [], {deliveries[0]: "s1"}).verified == {}


def test_verdicts_are_written_where_they_changed(store: Store) -> None:
    delivery = waiting(store)
    first = [Verdict("ci", Answer.FAIL, "failed"), Verdict("approval", Answer.WAIT, "waits", until=LATER)]
    store.judging.record([Judged(delivery, first, NOON)])
    assert store.gates.verdicts("d1", "production") == first
    second = [
        Verdict("ci", Answer.PASS, "succeeded", facts={"ci": "succeeded"}),
        first[1],
        Verdict("soak", Answer.OVERRIDDEN, "by hand", name="s", actor="ann", comment="urgent", said=Answer.WAIT),
    ]
    store.judging.record([Judged(delivery, second, LATER)])
    assert store.gates.verdicts("d1", "production") == second
    assert store.gates.verdicts("d1", "staging") == []
    store.judging.record([Judged(delivery, second[:1], LATER)])
    assert store.gates.verdicts("d1", "production") == second[:1]
    elsewhere = dataclasses.replace(delivery, at_stage="europe")
    store.move("d1", event=event("elsewhere"), at_stage="europe")
    store.judging.record([Judged(elsewhere, second[:1], LATER)])
    assert store.gates.verdicts("d1", "europe") == second[:1]


def test_many_move_at_once_and_those_that_have_moved_meanwhile_stay(store: Store) -> None:
    deliveries = [waiting(store, number) for number in range(1, 5)]
    store.move("d2", event=event("rejected"), status=Status.FAILED, reason="rejected")
    store.move("d4", event=event("elsewhere"), at_stage="europe")
    to = {"status": Status.RUNNING, "reason": None, "recheck_at": None, "attempt": 1}
    store.judging.record(
        [
            Judged(deliveries[0], [], LATER, {"reason": "locked", "recheck_at": LATER}, event("gates.waiting", LATER)),
            Judged(deliveries[1], [Verdict("ci", Answer.PASS, "ok")], LATER, to, event("gates.passed", LATER)),
            Judged(deliveries[2], [], LATER, to, event("gates.passed", LATER)),
            Judged(deliveries[3], [], LATER, to, event("gates.passed", LATER)),
        ]
    )
    found = {each.id: each for each in store.deliveries("p1")}
    assert found["d1"] == dataclasses.replace(deliveries[0], reason="locked", recheck_at=LATER, updated_at=LATER)
    assert (found["d2"].status, found["d2"].reason) == (Status.FAILED, "rejected")
    assert (found["d3"].status, found["d3"].reason) == (Status.RUNNING, None)
    assert found["d4"].status is Status.WAITING
    assert store.gates.verdicts("d2", "production") == []
    assert [each.kind for each in store.events("p1", limit=2)] == ["gates.passed", "gates.waiting"]


def test_what_happens_while_gates_are_asked_is_not_lost(store: Store) -> None:
    waiting(store)
    approve(store, 1)
    asked = now(store)
    assert (asked.news, asked.asked_by) == (1, "bob")
    approve(store, 1, "cat")
    store.judging.record([Judged(asked, [], NOON)])
    after = now(store)
    assert (after.news, after.asked_by) == (1, "cat")
    store.judging.record([Judged(after, [], NOON)])
    after = now(store)
    assert (after.news, after.asked_by) == (0, None)


def test_who_asked_for_one_that_goes_on_asks_still(store: Store) -> None:
    waiting(store)
    approve(store, 1)
    asked = now(store)
    passed = Judged(asked, [], NOON, {"status": Status.RUNNING}, event("gates.passed"), asking=True)
    store.judging.record([passed])
    assert now(store).asked_by == "bob"


LOCK = Lock("l1", "p1", "production", "bob", "the sale", NOON)


@pytest.mark.parametrize("to", [Status.RUNNING, Status.FAILED])
def test_an_answer_that_ends_the_waiting_is_void_once_something_happened(store: Store, to: Status) -> None:
    waiting(store)
    asked = now(store)
    store.locks.add(LOCK, event("locked"))
    answer = Judged(asked, [Verdict("lock", Answer.PASS, "not locked")], NOON, {"status": to}, event("gates.passed"))
    assert store.judging.record([answer]) == set()
    assert (now(store).status, now(store).news) == (Status.WAITING, 1)
    assert store.gates.verdicts("d1", "production") == []
    assert "gates.passed" not in [each.kind for each in store.events("p1")]
    assert store.judging.record([dataclasses.replace(answer, delivery=now(store))]) == {"d1"}
    assert (now(store).status, now(store).news) == (to, 0)


HAPPENINGS = {
    "locked": lambda store: store.locks.add(LOCK, event("locked")),
    "unlocked": lambda store: store.locks.remove("l1", event("unlocked")),
    "everything locked": lambda store: store.locks.add(Lock("l2", None, None, "bob", "x", NOON), event("locked")),
    "held": lambda store: store.locks.set_hold(Hold("p1", "production", "bob", "older", NOON), event("held")),
    "let go": lambda store: store.locks.lift_hold("p1", "production", event("hold.lifted")),
    "taken back": lambda store: store.locks.take_back([TakenBack("p1", "production", "c1", "no", NOON)]),
    "mode switched": lambda store: store.set_mode(
        ModeChange("p1", Mode.DEPLOYMENT, "bob", NOON, None), event("mode.switched")
    ),
    "verified": lambda store: store.record_verified(
        "p1", "staging", "a", "r", 3, "s1", "c1", "d1", NOON, "shop-staging"
    ),
    "no longer verified": lambda store: store.forget_verified("p1", "staging", "s1"),
}


@pytest.mark.parametrize("happening", HAPPENINGS)
def test_what_may_change_an_answer_has_those_that_it_concerns_looked_at(store: Store, happening: str) -> None:
    waiting(store)
    for number, changes in enumerate(({"pipeline_id": "p2"}, {"status": Status.RUNNING}, {"status": Status.FAILED}), 2):
        waiting(store, number, **changes)
    if happening == "unlocked":
        store.locks.add(LOCK, event("locked"))
    if happening == "let go":
        store.locks.set_hold(Hold("p1", "production", "bob", "older", NOON), event("held"))
    store.judging.record([Judged(now(store), [], NOON)])
    assert now(store).news == 0

    HAPPENINGS[happening](store)

    assert now(store).news == 1
    others = {each.id: each.news for each in store.deliveries("p1") + store.deliveries("p2") if each.id != "d1"}
    assert others == {"d2": int(happening == "everything locked"), "d3": 0, "d4": 0}


def test_the_same_commit_is_open_once(store: Store) -> None:
    first = waiting(store)
    assert waiting(store, 2, commit="c1") == first
    assert waiting(store, 3, commit="c1", pipeline_id="p2").id == "d3"
    store.move("d1", event=event("failed"), status=Status.FAILED)
    assert waiting(store, 4, commit="c1").id == "d4"
    assert [each.kind for each in store.events("p1")].count("delivery.created") == 3


def test_a_persons_no_counts_whatever_happened_meanwhile_but_not_where_it_waits_no_longer(store: Store) -> None:
    delivery = waiting(store)
    word = Approval("9", "d1", "production", "s1", "bob", LATER, approved=False)
    no = Verdict("approval", Answer.FAIL, "rejected by bob", name="approval")
    judged = Judged(delivery, [no], LATER, {"status": Status.FAILED, "reason": no.reason}, event("delivery.failed"))
    approve(store, 1)
    failed = store.judging.reject(judged, word, event("approval.refused"))
    assert failed == now(store)
    assert (failed.status, failed.reason, failed.news) == (Status.FAILED, "rejected by bob", 0)
    assert store.gates.verdicts("d1", "production") == [no]
    assert [each.kind for each in store.events("p1", limit=2)] == ["delivery.failed", "approval.refused"]

    with pytest.raises(Busy, match="delivery d1 is failed by now"):
        store.judging.reject(judged, dataclasses.replace(word, id="10"), event("approval.refused"))
    store.move("d1", event=event("elsewhere"), status=Status.WAITING, at_stage="europe")
    with pytest.raises(Busy):
        store.judging.reject(judged, dataclasses.replace(word, id="10"), event("approval.refused"))
    assert [each.kind for each in store.events("p1")].count("approval.refused") == 1
