"""Commands on this machine, in a clean checkout of exactly one commit: CI, and gates."""

from __future__ import annotations

import codecs
import io
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import Event, Thread

from herodeploy.domain.secret import OURS
from herodeploy.flows.looks.told import hidden, secrets_of
from herodeploy.flows.services import Services

LINE = 64 * 1024
"""Characters of output that are handed on at once, for those who end no line."""
MOST_IN_A_PIPE = 1024 * 1024
"""Bytes that Linux lets a pipe hold."""


def run_command(
    services: Services, commit: str, command: str, within: timedelta, output: Callable[[str], None]
) -> str | None:
    """Run a shell command in a checkout of `commit`; return None when it succeeds, else why not.

    The command gets the environment of this process without herodeploy's own secrets, and ``CI=true``.
    """
    status = run_in_checkout(services, commit, command, environment(os.environ, commit), within, output)
    if status is None:
        return f"the CI command took longer than {within.total_seconds():.0f}s"
    return None if status == 0 else f"the CI command ended with exit status {status}"


def environment(ours: Mapping[str, str], commit: str) -> dict[str, str]:
    """Return the environment of a CI command."""
    return {**given(ours), "CI": "true", "HEROKU_TEST_RUN_COMMIT_VERSION": commit}


def given(ours: Mapping[str, str]) -> dict[str, str]:
    """Return what a command may have of this environment: no secrets of herodeploy, nothing that steers git."""
    return {key: value for key, value in ours.items() if key not in OURS and not key.startswith("GIT_")}


def run_in_checkout(
    services: Services,
    commit: str,
    command: str,
    env: Mapping[str, str],
    within: timedelta,
    output: Callable[[str], None],
    *,
    told: str = "",
) -> int | None:
    """Run a shell command in a checkout of `commit`; return its exit status, None when it took longer than `within`.

    Parameters:
        output: gets each line of what it prints, without the values of variables here that are secret.
        told: what it may read from its standard input.
    """
    secrets = secrets_of(os.environ)
    with TemporaryDirectory(prefix="herodeploy-", ignore_cleanup_errors=True) as folder, TemporaryFile() as stdin:
        stdin.write(told.encode())
        stdin.seek(0)
        checkout = Path(folder, "source")
        checkout.mkdir()
        tarball = services.repo.archive(commit, Path(folder))
        subprocess.run(["tar", "-xzf", str(tarball), "-C", str(checkout)], check=True)
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=checkout,
            env=env,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own, so that whatever the command started can be stopped with it.
            process_group=0,
        )
        with _ended_with_us(process):
            return _ended(process, within, lambda line: output(hidden(line, secrets)))


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Have a command ended when this process is killed, or it would run on beside the one that a resumed leg starts."""
    reading, writing = os.pipe()
    # It reads until nobody can write any more, which is when this process is gone.
    words = ["/bin/sh", "-c", 'read -r _; kill -s KILL -- "-$1"', "sh", str(process.pid)]
    guard = subprocess.Popen(
        words, stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    )
    os.close(reading)
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        os.close(writing)


def _ended(process: subprocess.Popen[bytes], within: timedelta, output: Callable[[str], None]) -> int | None:
    """Hand on what a command prints until it has ended or its time is over; whatever it started is stopped then."""
    overdue, (ended, telling) = Event(), os.pipe()

    def watch() -> None:
        try:
            process.wait(within.total_seconds())
        except subprocess.TimeoutExpired:
            overdue.set()
        finally:
            _stop(process)
            os.close(telling)

    watcher = Thread(target=watch)
    watcher.start()
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        for line in _lines(process.stdout.fileno(), ended):
            output(line)
    except BaseException:
        _stop(process)
        raise
    finally:
        watcher.join()
        os.close(ended)
        process.stdout.close()
        status = process.wait()
    return None if overdue.is_set() else status


def _lines(printed: int, ended: int) -> Iterator[str]:
    """Yield the lines that come out of a pipe, until nobody can write any more or the command has ended.

    What left the command's group, as by setsid, is not stopped with it and may hold the pipe for ever.

    Parameters:
        printed: the pipe.
        ended: another one, which can be read from once the command has ended.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    line, more = "", True
    with selectors.DefaultSelector() as ready:
        for pipe in (printed, ended):
            ready.register(pipe, selectors.EVENT_READ)
        while more:
            over = ended in {key.fd for key, _ in ready.select()}
            chunk = _rest(printed) if over else os.read(printed, LINE)
            more = bool(chunk) and not over
            *lines, line = (line + decoder.decode(chunk, final=not more)).split("\n")
            whole = [f"{each}\n" for each in lines]
            if not more or len(line) >= LINE:
                whole, line = [*whole, line], ""
            yield from (each[at : at + LINE] for each in whole for at in range(0, len(each), LINE))


def _rest(pipe: int) -> bytes:
    """Return what is in a pipe, without waiting for more."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        return os.read(pipe, MOST_IN_A_PIPE)
    return b""


def _stop(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
