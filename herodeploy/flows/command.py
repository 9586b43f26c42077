"""CI by a command on this machine, in a clean checkout of exactly one commit."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Timer

from herodeploy.domain.secret import OURS
from herodeploy.flows.services import Services


def run_command(
    services: Services, commit: str, command: str, within: timedelta, output: Callable[[str], None]
) -> str | None:
    """Run a shell command in a checkout of `commit`; return None when it succeeds, else why not.

    The command gets the environment of this process without herodeploy's own secrets, and ``CI=true``.
    """
    with TemporaryDirectory(prefix="herodeploy-ci-", ignore_cleanup_errors=True) as folder:
        checkout = Path(folder, "source")
        checkout.mkdir()
        tarball = services.repo.archive(commit, Path(folder))
        subprocess.run(["tar", "-xzf", str(tarball), "-C", str(checkout)], check=True)
        return _run(command, checkout, environment(os.environ, commit), within, output)


def environment(ours: Mapping[str, str], commit: str) -> dict[str, str]:
    """Return the environment of a CI command."""
    kept = {key: value for key, value in ours.items() if key not in OURS and not key.startswith("GIT_")}
    return {**kept, "CI": "true", "HEROKU_TEST_RUN_COMMIT_VERSION": commit}


def _run(
    command: str, folder: Path, env: Mapping[str, str], within: timedelta, output: Callable[[str], None]
) -> str | None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # A group of its own, so that whatever the command started can be stopped with it.
        process_group=0,
    )
    overdue = Event()

    def out_of_time() -> None:
        overdue.set()
        _stop(process)

    timer = Timer(within.total_seconds(), out_of_time)
    timer.start()
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            for line in process.stdout:
                output(line)
            status = process.wait()
        except BaseException:
            _stop(process)
            raise
        finally:
            timer.cancel()
    if overdue.is_set():
        return f"the CI command took longer than {within.total_seconds():.0f}s"
    return None if status == 0 else f"the CI command ended with exit status {status}"


def _stop(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
