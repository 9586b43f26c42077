"""The engine that survives: legs as DBOS workflows, recorded step by step.

A leg always runs in the thread of the caller of `run`, also when it is one that a dead process left: DBOS replays
such a leg on a thread of its own, which hands it over here. So Ctrl-C reaches the leg at once, nothing is
recorded, and the leg stays as it is for the next `run` of its id.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from herodeploy.engine import dbos_setup, plain
from herodeploy.engine.baton import Baton, Left
from herodeploy.engine.port import Leg, T
from herodeploy.errors import StoreError

if TYPE_CHECKING:
    from dbos import DBOSConfig

_ENDED = ("SUCCESS", "ERROR")


class DurableEngine:
    """The engine's port on DBOS. One at a time in a process, and one a pipeline on the machine: hold its WorkerLock.

    Parameters:
        database: the file of a SQLite database, made where missing, or a PostgreSQL address.
        executor_id: names this worker's pipeline; workers of other names never touch its legs.
        legs: the legs by name.
        fence: called before each act that is not in the record yet; raises where this worker lost its lock.
    """

    def __init__(
        self,
        database: Path | str,
        executor_id: str,
        legs: Mapping[str, Leg],
        *,
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self._legs = legs
        self._fence = fence
        self._guard = threading.Lock()
        self._callers: dict[str, _Caller] = {}
        config = dbos_setup.config(database, executor_id)
        self._queue = f"{config['name']}-resumed"
        _launch(self, config)

    def run(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Start, or pick up, the leg of that id in this thread and wait for its end.

        A leg that was begun before goes on with the payload it was begun with.

        Raises:
            StoreError: the engine's own database cannot be used, or the leg was begun by another version.
        Exception: what the leg or the fence raised.
        """
        while (other := self._claim(leg_id)) is not None:
            other.gone.wait()
        caller = self._callers[leg_id]
        try:
            return caller.result(dbos_setup.explained(self._outcome, leg_id, leg, payload))
        except _Fenced as fenced:
            raise fenced.reason from None
        finally:
            with self._guard:
                del self._callers[leg_id]
            caller.gone.set()

    def close(self) -> None:
        """Stop the engine's threads; a leg under way stays resumable."""
        for caller in list(self._callers.values()):
            caller.baton.drop()
        _shut(self)

    def _claim(self, leg_id: str) -> _Caller | None:
        with self._guard:
            return self._callers.get(leg_id) or self._callers.update({leg_id: _Caller()})

    def _outcome(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        from dbos import DBOS, SetWorkflowID

        known = DBOS.get_workflow_status(leg_id)
        if known is None:
            with SetWorkflowID(leg_id):
                return _workflow()(leg, plain.value(payload, f"the payload of {leg_id}"))
        if known.status not in _ENDED:
            self._resume(leg_id, known.app_version)
        return cast("dict[str, Any]", DBOS.retrieve_workflow(leg_id).get_result(polling_interval_sec=0.02))

    def _resume(self, leg_id: str, version: str | None) -> None:
        """Have DBOS replay a leg that was cut, and run what is left of it here."""
        from dbos import DBOS

        begun_by = (version or "").partition(" of ")[0]
        if begun_by != dbos_setup.VERSION:
            raise StoreError(
                f"{leg_id} was begun by another version of herodeploy ({begun_by}, this one has {dbos_setup.VERSION})",
                hint="finish it with that version, or start a new delivery",
            )
        baton = self._callers[leg_id].baton
        try:
            while True:
                known = DBOS.get_workflow_status(leg_id)
                if known is None or known.status in _ENDED:
                    return
                # An ENQUEUED one is on its way already: asking twice would start it twice.
                if known.status != "ENQUEUED":
                    DBOS.resume_workflow(leg_id, queue_name=self._queue)
                if baton.carry(within=3):
                    return
        finally:
            baton.drop()

    def _perform(self, leg_id: str, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Run the body of a leg; called by DBOS, in our own thread or in one of its own."""
        caller = self._callers.get(leg_id)
        if caller is None:
            raise Left
        if caller.thread == threading.get_ident():
            return self._end(caller, leg, payload)
        return caller.baton.hand_over(functools.partial(copy_context().run, self._end, caller, leg, payload))

    def _end(self, caller: _Caller, leg: str, payload: dict[str, Any]) -> dict[str, Any]:
        """How the leg ends, as it is recorded: an error of the leg's is an end like any other."""
        from dbos import error as dbos_error

        try:
            return {
                "value": plain.value(self._legs[leg](_DurableRun(self._fence), payload), f"the result of leg {leg}")
            }
        except dbos_error.DBOSException:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is how this leg ended
            caller.raised = error
            return {"error": plain.pack(error)}


class _Caller:
    """Whoever waits in `run` for one id."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.gone = threading.Event()
        self.baton = Baton()
        self.raised: Exception | None = None

    def result(self, outcome: dict[str, Any]) -> dict[str, Any]:
        if "error" in outcome:
            raise self.raised or plain.unpack(outcome["error"])
        return cast("dict[str, Any]", outcome["value"])


class _DurableRun:
    """A leg's steps, each recorded with what it returned or raised."""

    def __init__(self, fence: Callable[[], None]) -> None:
        self._fence = fence

    def step(self, name: str, fn: Callable[..., T], *args: object) -> T:
        from dbos import DBOS

        raised: list[Exception] = []

        def act() -> dict[str, Any]:
            self._pass_fence()
            try:
                return {"value": plain.value(fn(*args), f"the result of step {name}")}
            except Exception as error:  # noqa: BLE001 - recorded, so that a resumed leg meets the same error
                raised.append(error)
                return {"error": plain.pack(error)}

        outcome = dbos_setup.database_explained(DBOS.run_step, {"name": name}, act)
        if "error" in outcome:
            raise raised[0] if raised else plain.unpack(outcome["error"])
        return cast("T", outcome["value"])

    def _pass_fence(self) -> None:
        try:
            self._fence()
        except Exception as error:
            raise _Fenced(error) from error


class _Fenced(BaseException):
    """This worker must not act any more. No `Exception`, so that nothing is recorded and another may go on."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


# DBOS is one a process: what follows deals with that.

_open: DurableEngine | None = None


def _launch(engine: DurableEngine, config: DBOSConfig) -> None:
    global _open
    from dbos import DBOS

    if _open is not None:
        raise RuntimeError("another DurableEngine is open in this process: close it first")
    _workflow()
    DBOS(config=config)
    try:
        dbos_setup.explained(DBOS.launch)
        # A queue of our own, as DBOS looks into its internal one only once a second.
        dbos_setup.explained(_register_queue, engine._queue)
    except BaseException:
        DBOS.destroy()
        raise
    _open = engine


def _register_queue(name: str) -> None:
    from dbos import DBOS

    DBOS.register_queue(name, polling_interval_sec=0.2, on_conflict="never_update")


def _shut(engine: DurableEngine) -> None:
    global _open
    if _open is engine:
        from dbos import DBOS

        DBOS.destroy()
        _open = None


@functools.cache
def _workflow() -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    from dbos import DBOS

    @DBOS.workflow(name="leg")
    def leg(name: str, payload: dict[str, Any]) -> dict[str, Any]:
        if _open is None:
            raise Left
        return _open._perform(cast("str", DBOS.workflow_id), name, payload)

    return leg
