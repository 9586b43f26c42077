"""Remembers on disk which processes the platform started, to end after a crash what even the guards could not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

LINUX = sys.platform.startswith("linux")


class Ledger:
    """The running processes of one platform.

    Parameters:
        folder: one small file a process goes here.
        homes: dynos' disks lie under this folder; on Linux a process whose HOME is there is one of ours too.
    """

    def __init__(self, folder: Path, homes: Path) -> None:
        self._folder = folder
        self._homes = homes

    def add(self, pid: int) -> None:
        """Note a process; it leads a group of its own."""
        with contextlib.suppress(OSError):  # a full disk must not stop an app
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / str(pid)).write_text(_identity(pid))

    def remove(self, pid: int) -> None:
        """Strike out a process that ended."""
        with contextlib.suppress(OSError):
            (self._folder / str(pid)).unlink(missing_ok=True)

    def end_leftovers(self) -> list[int]:
        """Kill what an earlier platform left running; return the pids.

        A pid alone proves nothing, as it may have been given to a stranger since: its start time must agree.
        """
        ended = [pid for pid in self._noted() if _kill(pid)]
        ended += [pid for pid in _with_home_under(self._homes) if _kill(pid)]
        for file in self._files():
            file.unlink(missing_ok=True)
        return ended

    def _noted(self) -> list[int]:
        return [
            int(file.name)
            for file in self._files()
            if file.name.isdigit() and file.read_text() == _identity(int(file.name))
        ]

    def _files(self) -> list[Path]:
        return list(self._folder.iterdir()) if self._folder.is_dir() else []


def _identity(pid: int) -> str:
    """Return what no other process of this pid has: when it started; unique text where there is no such process."""
    if LINUX:
        try:
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
            return f"{boot} {Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]}"
        except OSError:
            return f"no process {pid}"
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or f"no process {pid}"


def _with_home_under(folder: Path) -> list[int]:
    if not LINUX:
        return []
    mark = b"\0HOME=" + os.fsencode(folder) + b"/"
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in b"\0" + (process / "environ").read_bytes():
                    found.append(int(process.name))
    return found


def _kill(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
