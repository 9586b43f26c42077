"""A command at a terminal, and a person who answers its questions."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 120


def answered(
    command: list[str], answers: list[tuple[bytes, str]], env: Mapping[str, str], cwd: Path, code: int = 0
) -> str:
    """Run a command and type each answer once its question stands there; return what the terminal showed."""
    mine, theirs = pty.openpty()
    # In a session of its own it cannot open the terminal that the tests were started from.
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    ready = select.poll()
    ready.register(mine, select.POLLIN)
    left, seen, mark, end = list(answers), b"", 0, time.monotonic() + PATIENCE
    try:
        while time.monotonic() < end:
            if left and left[0][0] in seen[mark:]:
                mark = len(seen)
                os.write(mine, left.pop(0)[1].encode() + b"\r")
            if ready.poll(1000):
                try:
                    seen += os.read(mine, 65536)
                except OSError:  # the other side is closed
                    break
        assert process.wait(PATIENCE) == code, seen.decode()
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(mine)
