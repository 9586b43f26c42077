"""Runs one command and sees to it that nothing of it outlives the platform.

Started as ``python -I -S guard.py GRACE COMMAND [ARGUMENT ...]`` with a pipe from the platform as its standard
input. ``T`` on the pipe means SIGTERM to every process of the command, ``K`` SIGKILL. When the pipe ends without
that, the platform is dead, by kill -9 maybe: then SIGTERM and, GRACE seconds later, SIGKILL.

The first line of output is the pid of the command; the exit status is the command's, 128+n after signal n.
Standard library only and few imports: every dyno and every step of a build waits for this to start.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SUBREAPER, DEATH_SIGNAL = 36, 1  # of prctl(2)
TICK = 0.02


def main() -> int:
    """Run the command to its end; return its exit status."""
    grace, command = float(sys.argv[1]), sys.argv[2:]
    prctl(SUBREAPER, 1)
    wake = wake_on_signals()
    child = spawn(command)
    status = watch(child, wake, grace)
    end_rest(child)
    return -status + 128 if status < 0 else status


def prctl(option: int, value: int) -> None:
    """Make orphans ours (Linux); elsewhere the process group has to do."""
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return


def wake_on_signals() -> int:
    """Return a pipe that gets a byte for every signal; SIGTERM to the guard itself stops the command."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (*STOPS, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reader


def spawn(command: list[str]) -> int:
    """Start the command in a process group of its own; it says its pid before it becomes the command."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    child = os.fork()
    if child == 0:
        become(command)
    try:  # noqa: SIM105 # contextlib is slow to import
        os.setpgid(child, child)
    except OSError:  # it was faster than we
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return child


def become(command: list[str]) -> None:
    """Turn this forked copy of the guard into the command."""
    try:
        os.setpgid(0, 0)
        prctl(DEATH_SIGNAL, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (*STOPS, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.write(1, b"%d\n" % os.getpid())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        os.execvp(command[0], command)  # noqa: S606 # running what it is told is its duty
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def watch(child: int, wake: int, grace: float) -> int:
    """Wait for the child and, once it is to stop, for all its processes; return its status as waitpid tells it."""
    status: int | None = None
    deadline: float | None = None
    inputs = [0, wake]
    while True:
        status = reap(child, status)
        if status is not None and (deadline is None or not others(child)):
            return status
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            send(child, signal.SIGKILL)
        ready = select.select(inputs, [], [], TICK if deadline is not None else None)[0]
        word = b""
        if 0 in ready:
            word = os.read(0, 1)
            if not word:
                inputs.remove(0)
        elif stopped_by_signal(wake):
            word = b""
        else:
            continue
        deadline = obey(word, child, now, grace, deadline)


def obey(word: bytes, child: int, now: float, grace: float, deadline: float | None) -> float:
    """Do as the platform says; silence means that it is gone. Returns when to kill."""
    if word == b"K":
        return now
    send(child, signal.SIGTERM)
    if word == b"T":
        return float("inf") if deadline is None else deadline
    return now + grace if deadline is None else min(deadline, now + grace)


def stopped_by_signal(wake: int) -> bool:
    """Read which signals came; tell whether one asks the guard to end."""
    try:
        return any(number in STOPS for number in os.read(wake, 512))
    except BlockingIOError:
        return False


def reap(child: int, status: int | None) -> int | None:
    """Bury every process that ended; return the child's status once it is known."""
    while True:
        try:
            pid, raw = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0 if status is None else status
        if pid == 0:
            return status
        if pid == child:
            status = os.waitstatus_to_exitcode(raw)


def send(child: int, number: int) -> None:
    """Send a signal to every process of the command."""
    try:  # noqa: SIM105 # contextlib is slow to import
        os.killpg(child, number)
    except (ProcessLookupError, PermissionError):
        pass
    for pid in strays(child):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def others(child: int) -> bool:
    """Tell whether any process of the command is left."""
    try:
        os.killpg(child, 0)
    except ProcessLookupError:
        return bool(strays(child))
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def strays(child: int) -> list[int]:
    """Return our descendants that left the process group (Linux; none elsewhere)."""
    parents: dict[int, int] = {}
    groups: dict[int, int] = {}
    try:
        names = os.listdir("/proc")  # noqa: PTH208 # pathlib is slow to import
    except OSError:
        return []
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 # pathlib is slow to import
                    fields = file.read().rpartition(b") ")[2].split()
            except OSError:
                continue
            parents[int(name)], groups[int(name)] = int(fields[1]), int(fields[2])
    found = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found and pid not in found}
        found |= more
        grown = bool(more)
    return [pid for pid in found if pid != os.getpid() and groups[pid] != child]


def end_rest(child: int) -> None:
    """Kill what the command left running, as the end of a dyno ends all in it."""
    until = time.monotonic() + 5
    while others(child) and time.monotonic() < until:
        send(child, signal.SIGKILL)
        reap(child, 0)
        time.sleep(0.002)


if __name__ == "__main__":
    sys.exit(main())
