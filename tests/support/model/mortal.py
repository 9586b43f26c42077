"""Processes that die between any two acts, and what survives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from herodeploy.domain.delivery import TEST_LEG
from herodeploy.engine import plain
from herodeploy.engine.port import Leg, T
from herodeploy.errors import PlatformError, PlatformUnreachable, StoreError
from herodeploy.store.database import Database

SECOND_WORKER = "a second worker carries the others on"


class Dead(BaseException):
    """The process has died: nothing of herodeploy's may catch this."""


@dataclass(frozen=True)
class Strike:
    """What befalls a process.

    Parameters:
        what: ``dies``, or ``unreachable`` and ``broken`` for a call of the platform, ``locked`` for the database; of
            anything else that somebody else does it meanwhile.
        at: the so-manyth act it befalls; of a fault in the platform its calls are counted, of one in the database its
            writes, of a second worker records of steps inside a stage, else writes of the store, acts of the platform
            and records of steps.
        after: whether the act was done before.
    """

    what: str
    at: int
    after: bool

    @property
    def kind(self) -> str:
        """The kind of acts that it counts."""
        kinds = {"locked": "database", "unreachable": "platform", "broken": "platform", SECOND_WORKER: "moves"}
        return kinds.get(self.what, "changes")

    def __str__(self) -> str:
        return f"{self.what} {'after' if self.after else 'before'} act {self.at}"


@dataclass
class Life:
    """Of one process: counts its acts, and strikes where it is meant to.

    Parameters:
        note: is told where it struck.
        meanwhile: does what somebody else does at that very moment.
    """

    strike: Strike | None = None
    note: Callable[[str], None] = lambda _: None
    meanwhile: Callable[[str], None] = lambda _: None
    dead: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def act(self, name: str, *kinds: str) -> Iterator[None]:
        """Do one act of these kinds: some of changes, platform, database, moves."""
        if self.dead:
            raise Dead
        struck = self._struck(kinds)
        if struck is not None and not struck.after:
            self._befall(name, struck)
        yield
        if struck is not None and struck.after:
            self._befall(name, struck)

    def _struck(self, kinds: tuple[str, ...]) -> Strike | None:
        for kind in kinds:
            self.counts[kind] = self.counts.get(kind, 0) + 1
        meant = self.strike
        return meant if meant and meant.kind in kinds and self.counts[meant.kind] == meant.at else None

    def _befall(self, name: str, strike: Strike) -> None:
        self.note(f"  ... {strike}: {name}")
        match strike.what:
            case "dies":
                self.dead = True
                raise Dead
            case "locked":
                raise StoreError("the database is locked")
            case "unreachable":
                raise PlatformUnreachable("no answer")
            case "broken":
                raise PlatformError("HTTP 503")
        self.meanwhile(strike.what)


class MortalDatabase(Database):
    """The real database, each of whose writes may be a process's last.

    All processes share its connections and compiled statements, as to make them takes longer than a process lives.
    """

    life: Life | None = None

    def of(self, life: Life) -> MortalDatabase:
        """Return what a process of that life sees."""
        its = MortalDatabase(self._engine)
        its.life = life
        return its

    @contextmanager
    def write(self, *, alone: str | None = None) -> Iterator[sa.Connection]:
        """Open a transaction; a death after it comes when all is written."""
        life = self.life or Life()
        with life.act("a write of the store", "changes", "database"), super().write(alone=alone) as connection:
            yield connection

    def close(self) -> None:
        """Close every connection, but for what others use as well."""
        if self.life is None:
            super().close()


Records = dict[str, Any]
"""What a durable engine has on its disk: results of steps and legs by their ids, as plain JSON."""


class RecordingEngine:
    """An engine that does what the durable one promises, without the second that it takes to start.

    A process that dies between a step and its record does the step again; what is recorded is not done twice.

    Parameters:
        records: outlives the process.
    """

    def __init__(self, legs: Mapping[str, Leg], records: Records, life: Life) -> None:
        self._legs, self._records, self._life = legs, records, life
        self.leg_id: str | None = None

    def run(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Run a leg, or give the recorded result; as of the port."""
        self.leg_id = leg_id
        given = self._recorded(f"{leg_id} payload", lambda: payload)
        try:
            return self._recorded(leg_id, lambda: self._legs[leg](_Steps(self._recorded, leg_id), given))
        finally:
            self.leg_id = None

    def close(self) -> None:
        """Nothing to let go of."""

    def _recorded(self, key: str, act: Callable[[], T]) -> T:
        if key not in self._records:
            try:
                result = {"value": plain.value(act(), key)}
            except Exception as error:  # noqa: BLE001 - whatever it is, it is how this ended
                result = {"error": plain.pack(error)}
            kinds = ["changes"] if f"/{TEST_LEG}/" in key else ["changes", "moves"]
            with self._life.act(f"the record of {key}", *kinds):
                self._records[key] = result
        record = self._records[key]
        if "error" in record:
            raise plain.unpack(record["error"])
        found: T = record["value"]
        return found


class _Steps:
    """Steps are told apart by their place in the leg, as the durable engine does."""

    def __init__(self, recorded: Callable[..., Any], leg_id: str) -> None:
        self._recorded, self._leg_id, self._count = recorded, leg_id, 0

    def step(self, name: str, fn: Callable[..., T], *args: object) -> T:
        self._count += 1
        result: T = self._recorded(f"{self._leg_id} step {self._count} {name}", lambda: fn(*args))
        return result


class OneByOne(Executor):
    """Does each piece of work as it is submitted: which act is the so-manyth must be the same every time.

    Parameters:
        at_once: of no account here.
    """

    def __init__(self, at_once: int) -> None:
        pass

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Do the work now; as a thread would, give what it raises to whoever wants its result."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **options))
        except BaseException as error:  # noqa: BLE001 - a death, too, is told where the result is wanted
            future.set_exception(error)
        return future
