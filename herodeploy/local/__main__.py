"""``python -m herodeploy.local --data FOLDER [--port N] [--detach]``: what `control.start` starts."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from herodeploy.local import control


def main() -> int:
    """Run a platform; tell on standard output, a JSON object a line, how it goes."""
    parser = argparse.ArgumentParser(prog="python -m herodeploy.local")
    parser.add_argument("--data", type=Path, default=control.default_data())
    parser.add_argument("--port", type=int)
    parser.add_argument("--detach", action="store_true", help="leave the caller once started")
    given = parser.parse_args()
    if given.detach:
        leave(given.data)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    tell(pid=os.getpid())
    try:
        control.serve(given.data, given.port, lambda running: ready(running, hang_up=given.detach))
    except control.Busy:
        tell(busy=True)
        return 1
    except control.ControlError as error:
        tell(error=error.message, hint=error.hint)
        return 1
    return 0


def leave(data: Path) -> None:
    """Go on as a process that nobody waits for; the caller's child ends here."""
    if os.fork() > 0:
        os._exit(0)
    os.chdir(data)


def ready(running: control.Running, *, hang_up: bool) -> None:
    """Say that it answers; a detached one has nothing more to say to its caller."""
    tell(port=running.port)
    if hang_up:
        os.dup2(2, 1)


def tell(**facts: Any) -> None:
    """Write one line for the caller."""
    os.write(1, json.dumps(facts).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
