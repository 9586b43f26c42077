"""Starts child processes under the guard: lines of output as they come, and no way to be left behind."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
PYTHON = os.path.realpath(sys.executable)
"""Our Python outside of any virtual environment, which isolated commands see, too."""

GRACE = 5.0
LONGEST_LINE = 64 * 1024

Output = Callable[[str], None]


@dataclass(frozen=True)
class Command:
    """What to run, where, with exactly which environment (see `clean_env`).

    Parameters:
        fds: file descriptors that it inherits under the same numbers; `wired` makes use of one.
        launcher: what starts the guard, where that is not the usual; see `sandbox`.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    fds: Sequence[int] = ()
    launcher: Sequence[str] = ()


class Process:
    """A running child.

    Attributes:
        pid: of the child itself, which is also its process group; of what encloses it, where something does.
        returncode: None while it runs; 128+n when signal n ended it.
    """

    def __init__(self, guard: asyncio.subprocess.Process, pid: int, lines: _Lines) -> None:
        self.pid = pid
        self.guard_pid = guard.pid
        self.returncode: int | None = None
        self._guard = guard
        self._lines = lines
        lines.when_failed(self.kill)
        self._end = asyncio.ensure_future(self._finish())

    async def wait(self) -> int:
        """Wait for the end and for the last line of output; return the exit status.

        Raises:
            OSError: the receiver of the output could not take it (disk full, say); the child was killed.
        """
        return await asyncio.shield(self._end)

    async def stop(self, grace: float) -> int:
        """Send SIGTERM to all its processes, SIGKILL `grace` seconds later; return the exit status."""
        self.terminate()
        try:
            return await asyncio.wait_for(self.wait(), grace)
        except TimeoutError:
            self.kill()
            return await self.wait()

    def terminate(self) -> None:
        """Send SIGTERM to all its processes."""
        self._say(b"T")

    def kill(self) -> None:
        """Send SIGKILL to all its processes."""
        self._say(b"K")

    def _say(self, word: bytes) -> None:
        if self._guard.returncode is None and self._guard.stdin is not None and not self._guard.stdin.is_closing():
            self._guard.stdin.write(word)

    async def _finish(self) -> int:
        status = await self._guard.wait()
        error = await self._lines.close()
        _hang_up(self._guard)
        self.returncode = 128 - status if status < 0 else status
        if error is not None:
            raise error
        return self.returncode


async def start(command: Command, output: Output) -> Process:
    """Start a command.

    Parameters:
        command: what to run; its standard input is empty.
        output: gets each line of stdout and stderr as it comes, without its end.

    Raises:
        OSError: no process could be started, or the folder does not exist. A command that cannot be executed is
            no error here: it says so in its output and ends with status 127.
    """
    starting = asyncio.ensure_future(_start(command, output))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        if starting.exception() is None:
            await starting.result().stop(0)
        raise


async def run(command: Command, output: Output, timeout: float | None = None) -> int:
    """Run a command to its end and return its exit status; it is stopped when the caller is cancelled.

    Raises:
        TimeoutError: it took longer than `timeout` seconds and was stopped.
        OSError: as `start` and `Process.wait`.
    """
    process = await start(command, output)
    try:
        async with asyncio.timeout(timeout):
            return await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        await process.stop(GRACE)
        raise


def wired(argv: Sequence[str], fd: int, *, errors: bool = False) -> list[str]:
    """Return the argv that runs a command with an inherited socket as its standard input and output.

    Parameters:
        fd: the socket; also one of the command's ``fds``.
        errors: send standard error there, too; else its lines go where the command's output goes.
    """
    redirect = f"<&{fd} >&{fd} {f'2>&{fd} ' if errors else ''}{fd}>&-"
    return ["bash", "-c", f'exec "$@" {redirect}', "bash", *argv]


def clean_env(extra: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without any of the user's own variables but PATH, the language and TMPDIR."""
    env = {"PATH": os.environ.get("PATH", os.defpath), "TERM": "dumb"}
    env |= {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    env.setdefault("LANG", "C.UTF-8" if sys.platform.startswith("linux") else "en_US.UTF-8")
    return env | dict(extra)


async def _start(command: Command, output: Output) -> Process:
    reader, writer = os.pipe()
    try:
        guard = await asyncio.create_subprocess_exec(
            *(command.launcher or (PYTHON, "-I", "-S", str(GUARD))), str(GRACE), *command.argv,
            cwd=command.cwd, env=dict(command.env), stdin=asyncio.subprocess.PIPE,
            stdout=writer, stderr=writer, start_new_session=True, pass_fds=tuple(command.fds),
        )  # fmt: skip
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    lines = _Lines(output)
    try:
        pid = await lines.open(reader)
    except BaseException:
        _hang_up(guard)
        await lines.close()
        await guard.wait()
        raise
    # An isolated child tells its pid in a namespace of its own, which means nothing out here.
    return Process(guard, guard.pid if command.launcher else pid, lines)


class _Lines:
    """Cuts a pipe into lines for a callback; goes on reading when the callback fails, so that nobody blocks."""

    def __init__(self, output: Output) -> None:
        self._on_error: Callable[[], None] | None = None
        self._error: Exception | None = None
        self._output = output
        self._reader = asyncio.StreamReader()
        self._transport: asyncio.ReadTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, fd: int) -> int:
        """Begin with a pipe; return the pid that its first line says."""
        loop = asyncio.get_running_loop()
        protocol = asyncio.StreamReaderProtocol(self._reader)
        self._transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(fd, "rb", buffering=0))
        line = await self._reader.readline()
        if not line.strip().isdigit():
            raise OSError(f"the process guard did not start: {line.decode(errors='replace').strip()}")
        self._task = loop.create_task(self._pump())
        return int(line)

    def when_failed(self, react: Callable[[], None]) -> None:
        """Have something called once the callback fails; at once when it has failed already."""
        self._on_error = react
        if self._error is not None:
            react()

    async def close(self) -> Exception | None:
        """Take what is left in the pipe; a process that escaped may hold it open, so not for long."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=1)
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._transport is not None:
            self._transport.close()
        return self._error

    async def _pump(self) -> None:
        rest = b""
        while chunk := await self._reader.read(65536):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self._tell(line)
            while len(rest) > LONGEST_LINE:
                self._tell(rest[:LONGEST_LINE])
                rest = rest[LONGEST_LINE:]
        if rest:
            self._tell(rest)

    def _tell(self, line: bytes) -> None:
        if self._error is not None:
            return
        try:
            self._output(line.removesuffix(b"\r").decode(errors="replace"))
        except Exception as error:  # noqa: BLE001 # handed to whoever waits for the process
            self._error = error
            if self._on_error is not None:
                self._on_error()


def _hang_up(guard: asyncio.subprocess.Process) -> None:
    if guard.stdin is not None:
        guard.stdin.close()
