"""Deliveries among people, gates, faults and deaths: whatever happens in whatever order, nothing is lost or done twice.

A state machine draws what happens to a pipeline of two stages: changes that are good or bad, approvals, refusals,
locks, overrides, the mode, rollbacks and promotions by hand, time that passes; and what strikes the process at it: it
dies before or after any write of the store, any act on the platform, any record of a step, or the platform or the
database gives an error at any call. What the process leaves behind is on the disk, and the next one carries on there.

Flows, legs, gates, the store (SQLite), the git repository and the worker's lock are the real ones. The platform is an
account in memory (``support.model.ledger``), and the durable engine is replaced by one that keeps its promises
(``support.model.mortal``): on the local platform one delivery takes two seconds, and the durable engine takes one to
start, where a model wants thousands of deliveries. Apps are worked on one by one, so that the same history can be drawn
again. Against the real ones the sweeps under ``tests/recovery`` do the same with fewer stories.

The history is judged by the audit log and the account alone, in code of its own (``support.model.history``,
``support.model.releases``).
``HERODEPLOY_TEST_EXAMPLES=1000`` draws so many histories, other ones each time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.model import drawn
from support.model.drawn import ANN, APPS, BOB, COMMITS, GATES, MEANWHILE, WAVES, fates, people, stages, strikes
from support.model.history import History
from support.model.ledger import PIPELINE, Fate, Ledger
from support.model.mortal import SECOND_WORKER, Dead, Life, OneByOne, RecordingEngine, Records, Strike
from support.model.releases import Release, against, left

from herodeploy.app import exclusive
from herodeploy.domain.change import Change
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.errors import HerodeployError
from herodeploy.flows import deliver, holds, locks, mode, overrides, promote, rollback, side_by_side
from herodeploy.flows.services import Services
from herodeploy.store.store import Store

EXAMPLES = int(os.environ.get("HERODEPLOY_TEST_EXAMPLES", "80"))
STEPS = 25


class Deliveries(RuleBasedStateMachine):
    """Each rule is one command of a person's, in a process of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.records: Records = {}
        self.engines: list[RecordingEngine] = []
        drawn.empty(drawn.database())
        self.observer = Store(drawn.database())
        self.pushed = 0
        self.lost: list[str] = []

    @initialize(
        starts=st.sampled_from(["delivery", "deployment"]),
        gates=st.sampled_from(list(GATES)),
        on_failure=st.sampled_from(["rollback", "rollback", "stop"]),
        waves=st.sampled_from(list(WAVES)),
    )
    def begin(self, starts: str, gates: str, on_failure: str, waves: str) -> None:
        starts = "delivery" if "always" in gates else starts
        self.spec = drawn.spec(starts, gates, on_failure, waves)
        self.ledger = Ledger(self.spec, self.clock, self.released)
        self.history = History(self.spec, self.ledger)

    # What happens

    @precondition(lambda self: self.pushed < COMMITS)
    @rule(fate=fates, by=people, strike=strikes)
    def push(self, fate: Fate, by: str, strike: Strike | None) -> None:
        change = drawn.changes()[self.pushed]
        self.pushed += 1
        self.ledger.fates[change.commit] = fate
        self.deliver(change, by, strike, f"push {change.message} ({fate})")

    @precondition(lambda self: self.pushed < COMMITS)
    @rule(fate=drawn.in_the_end, two=st.permutations(drawn.PEOPLE), hours=st.sampled_from([0, 5]))
    def push_and_approve(self, fate: Fate, two: list[str], hours: int) -> None:
        self.push(fate, two[-1], None)
        self.approve(two, hours)

    @precondition(lambda self: self.pushed < 2)
    @rule(strike=drawn.second)
    def push_two_at_once(self, strike: Strike) -> None:
        self.lock(BOB, "staging", "stage", 1, False, None)
        self.push(Fate(), ANN, None)
        self.push(Fate(), ANN, None)
        self.time_passes(1)
        self.resume(ANN, strike)

    @precondition(lambda self: self.pushed > 0)
    @rule(back=st.integers(0, 2), by=people, strike=strikes)
    def push_again(self, back: int, by: str, strike: Strike | None) -> None:
        change = drawn.changes()[max(self.pushed - 1 - back, 0)]
        self.deliver(change, by, strike, f"push {change.message} once more")

    @precondition(lambda self: any(each.status is Status.FAILED for each in self.rows().values()))
    @rule(mended=st.booleans(), by=people, strike=strikes)
    def retry(self, mended: bool, by: str, strike: Strike | None) -> None:
        last = [each for each in self.rows().values() if each.status is Status.FAILED][-1]
        change = next(each for each in drawn.changes() if each.commit == last.commit)
        # What is still on its way has met its fate, perhaps, and nobody has read the answer yet.
        if mended and all(each.status.ended for each in self.rows().values() if each.commit == change.commit):
            self.ledger.fates[change.commit] = Fate()
        self.history.retried.add(change.commit)
        self.deliver(change, by, strike, f"try {change.message} again", retry=True)
        self.history.retried.clear()

    @precondition(lambda self: any(not each.status.ended for each in self.rows().values()))
    @rule(by=people, strike=strikes)
    def resume(self, by: str, strike: Strike | None) -> None:
        self.run("resume", by, lambda services, engine: deliver.resume(services, engine), strike)

    @rule(two=st.permutations(drawn.PEOPLE), hours=st.sampled_from([0, 5]))
    def approve(self, two: list[str], hours: int) -> None:
        for by, waits in zip(two, (0, hours), strict=False):
            if self.waiting():
                self.time_passes(waits)
                self.answer(-1, by, True, None)

    @precondition(lambda self: self.waiting())
    @rule(at=st.integers(0, 3), by=people, yes=st.sampled_from([True, True, False]), strike=strikes)
    def answer(self, at: int, by: str, yes: bool, strike: Strike | None) -> None:
        delivery = self.waiting()[at % len(self.waiting())]
        say = deliver.approve if yes else deliver.reject
        kind = "approval.given" if yes else "approval.refused"
        title = f"{'approve' if yes else 'reject'} {delivery.message} for {delivery.at_stage}"
        if self.run(title, by, lambda services, _: say(services, delivery.id), strike, alone=False):
            self.expect(kind, delivery.id)
            self.advance(delivery, by, strike)

    @rule(by=people, stage=stages, scope=st.sampled_from(["stage", "stage", "stage", "pipeline", "everything"]),
          hours=st.none() | st.integers(1, 30), warning=st.booleans(), strike=strikes)  # fmt: skip
    def lock(self, by: str, stage: str, scope: Any, hours: int | None, warning: bool, strike: Strike | None) -> None:
        until = self.now + timedelta(hours=hours) if hours else None
        where = stage if scope == "stage" else None
        act = lambda services, _: locks.lock(  # noqa: E731
            services, where, why="the sale", scope=scope, until=until, warning=warning
        )
        if self.run(f"lock {where or scope} for {hours}h{' (a warning)' * warning}", by, act, strike, alone=False):
            self.expect("lock.set")

    @precondition(lambda self: self.observer.locks.of_pipeline(PIPELINE.id))
    @rule(by=people, strike=strikes)
    def unlock(self, by: str, strike: Strike | None) -> None:
        lock = self.observer.locks.of_pipeline(PIPELINE.id)[-1]
        if self.run(
            f"unlock {lock.scope}", by, lambda services, _: locks.unlock(services, lock.id), strike, alone=False
        ):
            self.expect("lock.released")

    @precondition(lambda self: self.at_gates())
    @rule(at=st.integers(0, 3), by=people, strike=strikes)
    def override(self, at: int, by: str, strike: Strike | None) -> None:
        gate = self.at_gates()[at % len(self.at_gates())]
        act = lambda services, _: overrides.override(services, gate, reason="it must")  # noqa: E731
        delivery = self.run(f"override {gate}", by, act, strike, alone=False)
        if delivery:
            self.expect("gate.overridden", delivery.id)
            self.advance(delivery, by, strike)

    @precondition(lambda self: self.ledger.slugs)
    @rule(by=people, strike=strikes)
    def switch(self, by: str, strike: Strike | None) -> None:
        last = self.observer.mode(PIPELINE.id)
        to = Mode.DELIVERY if (last.mode if last else self.spec.mode) == "deployment" else Mode.DEPLOYMENT
        if self.run(f"mode {to}", by, lambda services, _: mode.switch(services, to), strike, alone=False):
            self.expect("mode.switched")

    @precondition(lambda self: len(self.ledger.slugs) > 1)
    @rule(stage=st.sampled_from(["production", "production", "staging"]), by=people, strike=strikes)
    def roll_back(self, stage: str, by: str, strike: Strike | None) -> None:
        if self.run(f"roll {stage} back", by, lambda services, _: rollback.rollback(services, stage), strike):
            self.expect("rollback.succeeded")

    @precondition(lambda self: self.ledger.slugs)
    @rule(why=st.none() | st.just("it must"), by=people, strike=strikes)
    def promote(self, why: str | None, by: str, strike: Strike | None) -> None:
        act = lambda services, _: promote.promote(services, override=why)  # noqa: E731
        view = self.run(f"promote by hand{', overriding' * bool(why)}", by, act, strike)
        if view and not view.already:
            self.expect("promotion.succeeded")

    @precondition(lambda self: self.history.held)
    @rule(stage=stages, by=people, strike=strikes)
    def resume_auto(self, stage: str, by: str, strike: Strike | None) -> None:
        self.history.resumed_auto = True
        if self.run(f"resume-auto {stage}", by, lambda services, _: holds.lift(services, stage), strike, alone=False):
            self.expect("hold.lifted")
        self.history.resumed_auto = False

    @rule(hours=st.sampled_from([1, 3, 5, 24]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        note(f"{hours} hours pass: it is {self.now:%A, %H:%M}")

    # What must hold

    @invariant()
    def nothing_is_wrong(self) -> None:
        if not hasattr(self, "history"):
            return
        rows = self.rows()
        self.history.compare(rows)
        for stage in APPS:
            inside = rows.get(self.observer.occupant(PIPELINE.id, stage) or "")
            if inside is not None and (inside.status.ended or inside.at_stage != stage):
                self.history.wrong.append(f"{inside.id} is still in {stage}, and {inside.status} at {inside.at_stage}")
        assert not self.history.wrong, "\n".join(self.history.wrong)

    def teardown(self) -> None:
        try:
            if hasattr(self, "history"):
                self.settle()
        finally:
            self.observer.close()

    def settle(self) -> None:
        """Undisturbed, all that is open comes to its end, or waits and says for what."""
        for _ in range(2):
            self.run("resume", ANN, lambda services, engine: deliver.resume(services, engine))
        self.nothing_is_wrong()
        for each in self.rows().values():
            assert each.status.ended or each.status is Status.WAITING, f"{each.id} is {each.status} for ever"
            assert each.status is not Status.WAITING or each.reason, f"{each.id} waits and says not for what"
        for stage in APPS:
            inside = self.observer.occupant(PIPELINE.id, stage)
            assert inside not in self.rows(), f"{inside} stays in {stage}"

    def released(self, app: str, slug_id: str, how: str) -> None:
        """Judge a release as it is about to be made; what is wrong is told later, past flows that catch errors."""
        at_work = [engine.leg_id for engine in self.engines if engine.leg_id is not None]
        inside = self.observer.occupant(PIPELINE.id, self.ledger.stages[app])
        release = Release(app, slug_id, how, inside, at_work if self.engines[-1].leg_id else [])
        self.history.wrong += against(self.history, release, self.read())

    # How it is done

    def deliver(self, change: Change, by: str, strike: Strike | None, title: str, *, retry: bool = False) -> None:
        def act(services: Services, engine: RecordingEngine) -> Delivery:
            delivery = deliver.start_delivery(services, change, retry=retry)
            # A change that a newer one contains goes along with that one's delivery, which is asked for, then.
            self.history.asked_by.setdefault(delivery.commit, set()).add(by)
            return deliver.advance(services, engine, delivery)

        self.history.asked_by.setdefault(change.commit, set()).add(by)
        self.run(title, by, act, strike)

    def advance(self, delivery: Delivery, by: str, strike: Strike | None) -> None:
        self.history.asked_by.setdefault(delivery.commit, set()).add(by)
        self.run(
            f"carry {delivery.message} on",
            by,
            lambda services, engine: deliver.advance(services, engine, delivery),
            strike,
        )

    def run(
        self,
        title: str,
        by: str,
        act: Callable[[Services, RecordingEngine], Any],
        strike: Strike | None = None,
        *,
        alone: bool = True,
        at_once: bool = False,
    ) -> Any:
        """Run a command in a process of its own; None where it does not come to its end."""
        note(f"{by.partition('@')[0]}: {title}" + (f" [{strike}]" if strike else ""))
        self.now += timedelta(seconds=0 if at_once else 1)
        life = Life(strike, note, self.meanwhile)
        services = Services(
            spec=self.spec,
            repo=drawn.repository(),
            connect=lambda: self.ledger.client(life),
            open_store=lambda: Store(drawn.database().of(life)),
            report=lambda _: None,
            actor=by,
            clock=self.clock,
            pause=self.pause,
            boot_within=timedelta(0),
        )
        self.engines.append(RecordingEngine(deliver.legs(services), self.records, life))
        try:
            with exclusive(services) if alone else nullcontext():
                return act(services, self.engines[-1])
        except Dead:
            return None
        except HerodeployError as error:
            note(f"  ! {type(error).__name__}: {error.message}")
            return None
        finally:
            self.engines.pop()
            services.close()
            self.read()

    def meanwhile(self, what: str) -> None:
        """Do what somebody else does at this very moment, in a process of their own."""
        at_work = [(engine.leg_id or "/").split("/")[0] for engine in self.engines]
        others = [each for each in self.rows().values() if not each.status.ended and each.id not in at_work]
        if what == SECOND_WORKER and not all(at_work):
            return
        self.history.resumed_auto = "automatic moves" in what
        act = lambda services, engine: MEANWHILE[what](services, engine, others)  # noqa: E731
        self.run(what, BOB, act, alone=False, at_once=True)
        self.history.resumed_auto = False

    def expect(self, kind: str, delivery_id: str | None = None) -> None:
        """Check that what came to its end is in the log, as the last of its kind."""
        found = [each for each in self.history.seen if each.kind == kind]
        if not found or (delivery_id is not None and found[-1].delivery_id != delivery_id):
            self.history.wrong.append(f"an act came to its end, and no {kind} is in the log")

    def read(self) -> dict[str, Delivery]:
        """Read on in the audit log; return the deliveries."""
        rows = self.rows()
        log = list(reversed(self.observer.events(PIPELINE.id, limit=100_000)))
        for event in self.history.read(log, rows):
            self.history.wrong += left(self.history, event, rows)
            note(f"    {event.kind}: {event.text}")
        return rows

    def rows(self) -> dict[str, Delivery]:
        """Return the deliveries, oldest first."""
        return {each.id: each for each in reversed(self.observer.deliveries(PIPELINE.id, limit=1000))}

    def waiting(self) -> list[Delivery]:
        return [each for each in self.rows().values() if each.status is Status.WAITING]

    def at_gates(self) -> list[str]:
        """Return the names of gates that somebody may override."""
        rows = [each for each in self.rows().values() if each.status in (Status.WAITING, Status.FAILED)]
        said = [each for row in rows[-1:] for each in self.observer.gates.verdicts(row.id, row.at_stage)]
        return [each.name for each in said if not each.passes]

    def clock(self) -> datetime:
        """Tell the time, which never stands still: ids and words sort by it."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module", autouse=True)
def gone() -> Iterator[None]:
    yield
    shutil.rmtree(drawn.repository().root)
    shutil.rmtree(Path(drawn.database().place).parent.parent)


@pytest.mark.timeout(600 + 10 * EXAMPLES)  # a history that is wrong is made shorter for up to five minutes
def test_nothing_is_done_twice_or_lost_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "ThreadPoolExecutor", OneByOne)
    run_state_machine_as_test(
        Deliveries,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="HERODEPLOY_TEST_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
