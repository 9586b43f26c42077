"""Standing workers of their own process, watched through what they say."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Worker:
    """A running ``herodeploy worker``.

    Parameters:
        person: whose repository and surroundings it has.
        log: where it writes.
    """

    def __init__(self, person: Any, log: Path, **env: str) -> None:
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                person.command("worker"), cwd=person.root, env=person.env | env, stdout=out, stderr=out, text=True
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text()

    def until(self, pattern: str) -> str:
        """Wait until it has said something of that kind; the test's own time limit ends a wait in vain."""
        while not (found := re.search(pattern, self.said)):
            assert self.process.poll() is None, f"it ended with {self.process.returncode}\n{self.said}"
            threading.Event().wait(0.05)
        return found.group()

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait()


@contextmanager
def working(person: Any, name: str = "worker", **env: str) -> Iterator[Worker]:
    """Have a worker at the person's pipeline while the block lasts."""
    worker = Worker(person, person.root.parent / f"{name}.log", **env)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()
