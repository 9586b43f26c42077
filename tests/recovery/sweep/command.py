"""The real command line in a process of its own, forked from one that has loaded everything: a trial costs little."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter

LONGEST = 90
"""Seconds after which a command hangs."""
CLIENT_TIMEOUT = 0.5
"""Seconds until a client gives up, where faults are about."""


@dataclass(frozen=True)
class Kill:
    """Where a process ends: at its so-manyth outgoing call, ``before`` it is sent or ``after`` it was carried out."""

    call: int
    moment: str


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Parameters:
        code: its exit code; -9 where it was killed.
        out: what it printed, results and story.
        calls: its outgoing calls, such as ``GET /apps/shop``.
    """

    code: int
    out: str
    calls: tuple[str, ...]

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def load() -> None:
    """Import whatever a command imports, once, for all of them. No thread may run here: we fork."""
    import importlib

    from herodeploy.cli import main

    for module in ("app", "config.load", "forge.git", "heroku.client", "heroku.library", "store.store"):
        importlib.import_module(f"herodeploy.{module}")
    for module in ("engine.durable", "engine.dbos_setup", "engine.worker_lock", "local.control"):
        importlib.import_module(f"herodeploy.{module}")
    for module in set(main.TOPICS.values()):
        importlib.import_module(f"herodeploy.cli.{module}")
    for module in ("alembic.command", "dbos", "heroku3", "sqlalchemy.dialects.sqlite"):
        importlib.import_module(module)


def herodeploy(
    *arguments: str, root: Path, log: Path, kill: Kill | None = None, hasty: bool = False, **env: str
) -> Ended:
    """Run a command in a process of its own to its end.

    Parameters:
        root: where it runs.
        log: a folder for what it prints and calls.
        hasty: it gives up on a silent platform soon, and waits for none of its own retries.
    """
    out, calls = log / "out", log / "calls"
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.alarm(LONGEST)
            _redirect(out)
            os.environ.update(env)
            os.chdir(root)
            _watch_calls(calls, kill)
            if hasty:
                _hurry()
            code = _main(arguments)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    ended = Ended(os.waitstatus_to_exitcode(status), out.read_text(), tuple(calls.read_text().splitlines()))
    assert ended.code != -signal.SIGALRM, f"{arguments} hangs:\n{ended.out}"
    return ended


def _main(arguments: tuple[str, ...]) -> int:
    import sys

    from herodeploy.cli import main

    code = main.run(list(arguments))
    sys.stdout.flush()
    sys.stderr.flush()
    return int(code)


def _redirect(out: Path) -> None:
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _watch_calls(file: Path, kill: Kill | None) -> None:
    """Write each outgoing call down, and end this process at the one that is meant."""
    real: Callable[..., Any] = HTTPAdapter.send
    note = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    guard, count = threading.Lock(), 0

    def send(self: HTTPAdapter, request: Any, **options: Any) -> Any:
        nonlocal count
        with guard:
            count += 1
            mine = kill is not None and kill.call == count
            os.write(note, f"{request.method} {request.path_url.partition('?')[0]}\n".encode())
        if mine and kill is not None and kill.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        response = real(self, request, **options)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

    HTTPAdapter.send = send  # type: ignore[method-assign]


def _hurry() -> None:
    """Shorten what a client waits for; what it repeats, and how often, stays as it is."""
    from herodeploy.heroku import session

    made = session.Session.__init__

    def init(self: session.Session, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **{"timeout": (CLIENT_TIMEOUT, CLIENT_TIMEOUT), "sleep": lambda _: None, **options})

    session.Session.__init__ = init  # type: ignore[method-assign]
