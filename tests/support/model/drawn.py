"""What a history is drawn from: people and what they do meanwhile, gates, what becomes of changes, what strikes."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from herodeploy.domain.change import Change
from herodeploy.domain.delivery import Delivery, Status
from herodeploy.domain.mode import Mode
from herodeploy.domain.pipeline import CiSpec, GateSpec, PipelineSpec, ReviewSpec, Stage, StageSpec, VerifySpec
from herodeploy.engine.port import Engine
from herodeploy.flows import deliver, holds, locks, mode, overrides
from herodeploy.flows.services import Services
from herodeploy.forge.git import Repository

from .ledger import PIPELINE, Fate
from .mortal import SECOND_WORKER, MortalDatabase, Strike

COMMITS = 12
ANN, BOB, DEV = PEOPLE = ("ann@example.com", "bob@example.com", "dev@example.com")
APPS = {"staging": ("shop-staging",), "production": ("shop-eu", "shop-us")}
WAVES = {"one by one": (("shop-eu",), ("shop-us",)), "at once": (("shop-eu", "shop-us"),)}
GATES = {
    "no gates": (),
    "two approvals of 4h, always": (GateSpec("approval", {"count": 2, "expires": "4h", "optional": False}),),
    "another's approval": (GateSpec("approval", {"by_other": True}),),
    "mornings, approval always": (
        GateSpec("window", {"allow": ["00:00-12:00"], "timezone": "UTC"}),
        GateSpec("approval", {"optional": False}),
    ),
}
NO_WAIT = VerifySpec(path="/", within=timedelta(0), passes=1)

Act = Callable[[Services, Engine, list[Delivery]], object]
MEANWHILE: dict[str, Act] = {
    "Bob locks production": lambda services, *_: locks.lock(services, "production", why="the sale"),
    "Bob unlocks production": lambda services, *_: locks.unlock(services, "production"),
    "Bob lets automatic moves go on": lambda services, *_: holds.lift(services, "production"),
    "Bob says yes": lambda services, _, others: _each(others, lambda id_: deliver.approve(services, id_)),
    "Bob says no": lambda services, _, others: _each(others, lambda id_: deliver.reject(services, id_)),
    "Bob overrides the lock": lambda services, *_: overrides.override(services, "lock", reason="it must"),
    "Bob switches to delivery": lambda services, *_: mode.switch(services, Mode.DELIVERY),
    "Bob switches to deployment": lambda services, *_: mode.switch(services, Mode.DEPLOYMENT),
    SECOND_WORKER: lambda services, engine, others: [deliver.carry_or_tell(services, engine, each) for each in others],
}
"""What somebody else does in a process of their own, while another is at work; with the deliveries that are in no leg.

A second worker there is where the database has dropped the lock on the pipeline from under the first.
"""

people = st.sampled_from(PEOPLE)
stages = st.sampled_from(list(APPS))
crashes = st.sampled_from(["shop-staging", "shop-eu", "shop-us"]).map(lambda app: Fate(crash=frozenset({app})))
phases = st.sampled_from(["shop-staging", "shop-eu", "shop-us"]).map(lambda app: Fate(release=frozenset({app})))
fates = st.sampled_from([Fate(), Fate(), Fate(ci="failed"), Fate(ci="errored"), Fate(builds=False)]) | crashes | phases
in_the_end = st.sampled_from([Fate(), Fate(), *(Fate(crash=frozenset({app})) for app in APPS["production"])])
"""What comes out only when it gets into production."""
soon = st.integers(1, 12)
deaths = st.builds(Strike, st.just("dies"), soon | st.integers(1, 40), st.booleans())
faults = st.builds(Strike, st.sampled_from(["unreachable", "broken"]), soon | st.integers(1, 60), st.booleans())
locked = st.builds(Strike, st.just("locked"), soon | st.integers(1, 25), st.just(False))
others = st.builds(Strike, st.sampled_from(list(MEANWHILE)), soon | st.integers(1, 40), st.booleans())
second = st.builds(Strike, st.just(SECOND_WORKER), st.integers(1, 6), st.booleans())
strikes = deaths | deaths | faults | faults | locked | others | second


def spec(starts: str, gates: str, on_failure: str, waves: str) -> PipelineSpec:
    """Return a pipeline of two stages, whose gates stand before the second."""
    first, last = APPS
    put: Any = on_failure
    mode_: Any = starts
    stages = (
        StageSpec(first, Stage(first), APPS[first], (APPS[first],), branch="main", verify=NO_WAIT),
        StageSpec(last, Stage(last), APPS[last], WAVES[waves], verify=NO_WAIT, gates=GATES[gates], on_failure=put),
    )
    return PipelineSpec(PIPELINE.name, "local", mode_, CiSpec("heroku"), ReviewSpec(), stages)


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
def database() -> MortalDatabase:
    """Return the database of every history, one after the other, and keep an empty copy of its file."""
    folder = Path(tempfile.mkdtemp(prefix="herodeploy-model-"))
    made = MortalDatabase.open(None, folder / "now")
    made.close()
    shutil.copytree(folder / "now", folder / "empty")
    assert isinstance(made, MortalDatabase)
    return made


def empty(used: MortalDatabase) -> None:
    """Begin with an empty file again; to make its tables takes longer than to copy them."""
    used.close()
    now = Path(used.place).parent
    shutil.rmtree(now)
    shutil.copytree(now.parent / "empty", now)


def _each(deliveries: list[Delivery], answer: Callable[[str], object]) -> None:
    for each in deliveries:
        if each.status is Status.WAITING:
            answer(each.id)


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)
