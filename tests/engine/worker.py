"""A worker in a process of its own, told by its command line what to run and where to be cut.

    worker.py DATABASE EXECUTOR JOURNAL LEG_ID LEG PAYLOAD [CUT]

Steps append their name to the journal when they act; CUT is ``<when>:<step>:<how>``, such as ``before:build:kill``.
It prints one line of JSON: what `run` returned, or the error that it raised.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from herodeploy.engine.durable import DurableEngine
from herodeploy.engine.port import Run
from herodeploy.errors import NotFound, Refused

DATABASE, EXECUTOR, JOURNAL, LEG_ID, LEG, PAYLOAD = sys.argv[1:7]
WHEN, STEP, HOW = (sys.argv[7] if len(sys.argv) > 7 else "::").split(":")


def cut(when: str, step: str) -> None:
    if (when, step) != (WHEN, STEP):
        return
    if HOW == "kill":
        os.kill(os.getpid(), 9)
    if HOW == "wait":
        Path(JOURNAL + ".waits").touch()
        threading.Event().wait(60)
    raise KeyboardInterrupt


def act(name: str, result: Any = None) -> Any:
    cut("before", name)
    with Path(JOURNAL).open("a") as journal:
        journal.write(f"{name}\n")
    cut("after", name)
    return result


def deliver(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
    build = run.step("build", act, "build", {"slug": "s1", "n": [1, None]})
    cut("between", "build")
    release = run.step("release", act, "release", payload["version"])
    run.step("verify", act, "verify")
    cut("between", "verify")
    return {"slug": build["slug"], "release": release, "thread": threading.current_thread() is threading.main_thread()}


def fail(run: Run, payload: dict[str, Any]) -> dict[str, Any]:
    run.step("build", act, "build")
    try:
        run.step("release", refuse)
    except Refused as refusal:
        run.step("put back", act, "put back")
        cut("between", "put back")
        if payload.get("api"):
            raise NotFound("no such app", status=404, error_id="not_found", request_id="r-1", hint="look") from refusal
        raise
    return {}


def refuse() -> None:
    act("release")
    raise Refused("the release phase failed", hint="see its output")


def main() -> None:
    engine = DurableEngine(DATABASE, EXECUTOR, {"deliver": deliver, "fail": fail})
    try:
        said: dict[str, Any] = {"returned": engine.run(LEG_ID, LEG, json.loads(PAYLOAD))}
    except Exception as error:  # noqa: BLE001 - told to the test
        said = {"raised": type(error).__name__, "text": str(error), "carried": vars(error)}
    except KeyboardInterrupt:
        said = {"interrupted": True}
    engine.close()
    sys.stdout.write(json.dumps(said))


main()
