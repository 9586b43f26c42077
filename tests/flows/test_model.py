"""Deliveries among people, gates, faults and deaths: whatever happens in whatever order, nothing is lost or done twice.

A state machine draws what happens to a pipeline of two stages: changes that are good or bad, approvals, refusals,
locks, overrides, the mode, rollbacks and promotions by hand, time that passes; and what strikes the process at it: it
dies before or after any write of the store, any act on the platform, any record of a step, or the platform or the
database gives an error at any call. What the process leaves behind is on the disk, and the next one carries on there.

Flows, legs, gates, the store (SQLite), the git repository and the worker's lock are the real ones. The platform is an
account in memory (``support.model.ledger``), and the durable engine is replaced by one that keeps its promises
(``support.model.mortal``): on the local platform one delivery takes two seconds, and the durable engine takes one to
start, where a model wants thousands of deliveries. Against the real ones the sweeps under ``tests/recovery`` do the
same with fewer stories.

The history is judged by the audit log and the account alone, in code of its own (``support.model.history``).
``HERODEPLOY_TEST_EXAMPLES=1000`` draws so many histories, other ones each time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
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
from support.model.history import History
from support.model.ledger import PIPELINE, Fate, Ledger
from support.model.mortal import Dead, Life, RecordingEngine, Records, Strike, open_store

from herodeploy.app import exclusive
from herodeploy.domain.change import Change
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import CiSpec, GateSpec, PipelineSpec, ReviewSpec, Stage, StageSpec, VerifySpec
from herodeploy.errors import HerodeployError
from herodeploy.flows import deliver, holds, locks, mode, overrides, promote, rollback
from herodeploy.flows.services import Services
from herodeploy.forge.git import Repository
from herodeploy.store.store import Store

EXAMPLES = int(os.environ.get("HERODEPLOY_TEST_EXAMPLES", "40"))
STEPS = 25
COMMITS = 12
ANN, BOB, DEV = PEOPLE = ("ann@example.com", "bob@example.com", "dev@example.com")
APPS = {"staging": ("shop-staging",), "production": ("shop-eu", "shop-us")}
GATES = {
    "no gates": (),
    "two approvals": (GateSpec("approval", {"count": 2}),),
    "another's approval of 4h": (GateSpec("approval", {"by_other": True, "expires": "4h"}),),
    "mornings, approval always": (
        GateSpec("window", {"allow": ["00:00-12:00"], "timezone": "UTC"}),
        GateSpec("approval", {"optional": False}),
    ),
}
Act = Callable[[Services, list[Delivery]], object]
MEANWHILE: dict[str, Act] = {
    "Bob locks production": lambda services, _: locks.lock(services, "production", why="the sale"),
    "Bob unlocks production": lambda services, _: locks.unlock(services, "production"),
    "Bob lets automatic moves go on": lambda services, _: holds.lift(services, "production"),
    "Bob says yes": lambda services, waiting: [deliver.approve(services, each.id) for each in waiting],
    "Bob says no": lambda services, waiting: [deliver.reject(services, each.id) for each in waiting],
    "Bob overrides the lock": lambda services, _: overrides.override(services, "lock", reason="it must"),
    "Bob switches to delivery": lambda services, _: mode.switch(services, Mode.DELIVERY),
    "Bob switches to deployment": lambda services, _: mode.switch(services, Mode.DEPLOYMENT),
}
"""What somebody else does in a process of their own, while another is at work."""
NO_WAIT = VerifySpec(path="/", within=timedelta(0), passes=1)

people = st.sampled_from(PEOPLE)
stages = st.sampled_from(list(APPS))
some = st.sets(stages, max_size=1).map(frozenset)
bad = st.builds(
    Fate, ci=st.sampled_from(["succeeded", "failed", "errored"]), builds=st.booleans(), release=some, crash=some
)
fates = st.just(Fate()) | st.just(Fate()) | bad
deaths = st.builds(Strike, st.just("dies"), st.integers(1, 40), st.booleans())
faults = st.builds(Strike, st.sampled_from(["unreachable", "broken"]), st.integers(1, 60), st.booleans())
locked = st.builds(Strike, st.just("locked"), st.integers(1, 25), st.just(False))
others = st.builds(Strike, st.sampled_from(sorted(MEANWHILE)), st.integers(1, 40), st.booleans())
strikes = st.none() | st.none() | deaths | deaths | faults | locked | others


@cache
def repository() -> Repository:
    """Return a repository with as many commits as there can be changes."""
    root = Path(tempfile.mkdtemp(prefix="herodeploy-model-"))
    _git(root, "init", "--quiet", "--initial-branch=main")
    for number in range(COMMITS):
        (root / "index.html").write_text(f"{number}\n")
        _git(root, "add", "--all")
        _git(root, "commit", "--quiet", "--message", f"Change {number}", "--author", f"Dev <{DEV}>")
    return Repository.open(root)


@cache
def changes() -> list[Change]:
    """Return its commits, oldest first."""
    repo = repository()
    return [repo.resolve(f"main~{COMMITS - 1 - number}") for number in range(COMMITS)]


@cache
def empty_store() -> Path:
    """Return a folder with a store in which nothing is; to make its tables takes longer than to copy them."""
    folder = Path(tempfile.mkdtemp(prefix="herodeploy-model-"))
    Store.open(state_dir=folder).close()
    return folder


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def spec(starts: str, gates: str, on_failure: str) -> PipelineSpec:
    made: list[StageSpec] = []
    for name, apps in APPS.items():
        configured: dict[str, Any] = {"gates": GATES[gates], "on_failure": on_failure} if made else {"branch": "main"}
        waves = tuple((app,) for app in apps)
        made.append(StageSpec(name=name, kind=Stage(name), apps=apps, waves=waves, verify=NO_WAIT, **configured))
    first: Any = starts
    return PipelineSpec(PIPELINE.name, "local", first, CiSpec("heroku"), ReviewSpec(), tuple(made))


class Deliveries(RuleBasedStateMachine):
    """Each rule is one command of a person's, in a process of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="herodeploy-model-"))
        self.now = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.records: Records = {}
        self.engine: RecordingEngine | None = None
        shutil.copytree(empty_store(), self.folder, dirs_exist_ok=True)
        self.observer = Store.open(state_dir=self.folder)
        self.pushed = 0
        self.lost: list[str] = []

    @initialize(
        starts=st.sampled_from(["delivery", "deployment"]),
        gates=st.sampled_from(list(GATES)),
        on_failure=st.sampled_from(["rollback", "stop"]),
    )
    def begin(self, starts: str, gates: str, on_failure: str) -> None:
        starts = "delivery" if "always" in gates else starts
        self.spec = spec(starts, gates, on_failure)
        self.ledger = Ledger(self.spec, self.clock, self.released)
        self.history = History(self.spec, self.ledger)

    # What happens

    @precondition(lambda self: self.pushed < COMMITS)
    @rule(fate=fates, by=people, strike=strikes)
    def push(self, fate: Fate, by: str, strike: Strike | None) -> None:
        change = changes()[self.pushed]
        self.pushed += 1
        self.ledger.fates[change.commit] = fate
        self.deliver(change, by, strike, f"push {change.message} ({fate})")

    @precondition(lambda self: self.pushed < COMMITS)
    @rule(by=people)
    def push_good(self, by: str) -> None:
        self.push(Fate(), by, None)

    @precondition(lambda self: self.pushed > 0)
    @rule(back=st.integers(0, 2), by=people, strike=strikes)
    def push_again(self, back: int, by: str, strike: Strike | None) -> None:
        change = changes()[max(self.pushed - 1 - back, 0)]
        self.deliver(change, by, strike, f"push {change.message} once more")

    @precondition(lambda self: any(each.status is Status.FAILED for each in self.rows().values()))
    @rule(mended=st.booleans(), by=people, strike=strikes)
    def retry(self, mended: bool, by: str, strike: Strike | None) -> None:
        last = [each for each in self.rows().values() if each.status is Status.FAILED][-1]
        change = next(each for each in changes() if each.commit == last.commit)
        if mended:
            self.ledger.fates[change.commit] = Fate()
        self.history.retried.add(change.commit)
        self.deliver(change, by, strike, f"try {change.message} again", retry=True)
        self.history.retried.clear()

    @rule(by=people, strike=strikes)
    def resume(self, by: str, strike: Strike | None) -> None:
        self.run("resume", by, lambda services, engine: deliver.resume(services, engine), strike)

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

    @rule(by=people, stage=stages, scope=st.sampled_from(["stage", "stage", "pipeline", "everything"]),
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

    @precondition(lambda self: self.rows())
    @rule(gate=st.sampled_from(["ci", "upstream", "lock", "hold", "approval", "window"]), by=people, strike=strikes)
    def override(self, gate: str, by: str, strike: Strike | None) -> None:
        act = lambda services, _: overrides.override(services, gate, reason="it must")  # noqa: E731
        delivery = self.run(f"override {gate}", by, act, strike, alone=False)
        if delivery:
            self.expect("gate.overridden", delivery.id)
            self.advance(delivery, by, strike)

    @rule(to=st.sampled_from(Mode), by=people, strike=strikes)
    def switch(self, to: Mode, by: str, strike: Strike | None) -> None:
        if self.run(f"mode {to}", by, lambda services, _: mode.switch(services, to), strike, alone=False):
            self.expect("mode.switched")

    @precondition(lambda self: self.ledger.slugs)
    @rule(stage=stages, by=people, strike=strikes)
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
            shutil.rmtree(self.folder)

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
        rows = self.read()
        leg_id = self.engine.leg_id if self.engine else None
        stage = self.ledger.stages[app]
        inside = self.observer.occupant(PIPELINE.id, stage)
        if leg_id is None:
            self.history.wrong += [f"{how} by hand while {inside} is in {stage}"] if inside in rows else []
            return
        row = rows[leg_id.partition("/")[0]]
        found = []
        if (row.status, row.at_stage, inside) != (Status.RUNNING, stage, row.id):
            found.append(f"it is {row.status} at {row.at_stage}, and in there is {inside}")
        if how == "promotion":
            found += self._against_promotion(row, app, slug_id)
        if how == "rollback" and slug_id not in self._before(row, stage, app):
            found.append(f"{slug_id} was not there before")
        self.history.wrong += [f"{row.id} makes a release by {how} of {slug_id} in {app}: {each}" for each in found]

    def _against_promotion(self, row: Delivery, app: str, slug_id: str) -> list[str]:
        stage, found = self.ledger.stages[app], []
        runs = self.ledger.runs(app)
        if slug_id != row.slug_id or stage not in self.history.deliveries[row.id].passed:
            found.append(f"the gates let {row.slug_id} into {list(self.history.deliveries[row.id].passed)}")
        if runs == slug_id:
            found.append("it runs that already")
        if (why := self.history.hold(row, stage)) is not None:
            found.append(why)
        return found

    def _before(self, row: Delivery, stage: str, app: str) -> list[str]:
        begun = [each for each in self.history.seen if each.kind == "leg.started"]
        baselines: list[Any] = [
            each.data["baseline"] for each in begun if (each.delivery_id, each.stage) == (row.id, stage)
        ]
        return [each[app]["slug_id"] for each in baselines]

    # How it is done

    def deliver(self, change: Change, by: str, strike: Strike | None, title: str, *, retry: bool = False) -> None:
        def act(services: Services, engine: RecordingEngine) -> Delivery:
            delivery = deliver.start_delivery(services, change, retry=retry)
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
            repo=repository(),
            connect=lambda: self.ledger.client(life),
            open_store=lambda: open_store(self.folder, life),
            report=lambda _: None,
            actor=by,
            clock=self.clock,
            pause=self.pause,
            boot_within=timedelta(0),
            at_once=1,  # so that a strike always hits the same act
        )
        outer, self.engine = self.engine, RecordingEngine(deliver.legs(services), self.records, life)
        try:
            if not alone:
                return act(services, self.engine)
            with exclusive(services):
                return act(services, self.engine)
        except Dead:
            return None
        except HerodeployError as error:
            note(f"  ! {type(error).__name__}: {error.message}")
            return None
        finally:
            self.engine = outer
            services.close()
            self.read()

    def meanwhile(self, what: str) -> None:
        """Do what somebody else does at this very moment, in a process of their own."""
        if what == "Bob lets automatic moves go on":
            self.history.resumed_auto = True
        self.run(what, BOB, lambda services, _: MEANWHILE[what](services, self.waiting()), alone=False, at_once=True)
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
            note(f"    {event.kind}: {event.text}")
        return rows

    def rows(self) -> dict[str, Delivery]:
        """Return the deliveries, oldest first."""
        return {each.id: each for each in reversed(self.observer.deliveries(PIPELINE.id, limit=1000))}

    def waiting(self) -> list[Delivery]:
        return [each for each in self.rows().values() if each.status is Status.WAITING]

    def clock(self) -> datetime:
        """Tell the time, which never stands still: ids and words sort by it."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(scope="module", autouse=True)
def gone() -> Iterator[None]:
    yield
    shutil.rmtree(repository().root)
    shutil.rmtree(empty_store())


def test_nothing_is_done_twice_or_lost_whatever_happens() -> None:
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
