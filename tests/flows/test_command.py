"""A command does not outlive the herodeploy that runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

RUN = """
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from herodeploy.flows.command import run_in_checkout
from herodeploy.forge.git import Repository

services = SimpleNamespace(repo=Repository.open(Path(sys.argv[1])))
output = lambda line: print(line, end="", flush=True)
run_in_checkout(services, "HEAD", sys.argv[2], {"PATH": sys.argv[3]}, timedelta(minutes=5), output)
"""


def test_one_whose_herodeploy_is_killed_ends_too(tmp_path: Path) -> None:
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message", "Begin"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    # Command and child hold the fifo open for as long as they live.
    command = f"exec 3>{fifo}; (sleep 300) & echo begun; sleep 300"
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), command, os.environ["PATH"]],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with process, fifo.open("rb") as alive:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGKILL)
        assert alive.read() == b"", "it goes on reading for as long as one of them lives"
