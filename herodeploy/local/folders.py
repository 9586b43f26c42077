"""The data folder of a local platform: who holds it, and how to reach that one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from herodeploy.local import disk, ports

TICK = 0.02
CONTROL_TOKEN = "control-token"  # noqa: S105 # a file name
"""The file with the token of the control API."""


class ControlError(Exception):
    """A platform cannot be started, stopped or reset; `hint` says what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Running:
    """A platform that answers at `url` whoever knows its token.

    Attributes:
        not_isolated: why builds and dynos are not isolated although they should be, told by a start alone.
    """

    pid: int
    port: int
    url: str
    token: str = field(repr=False)
    data: Path
    not_isolated: str = field(default="", compare=False)


class Busy(ControlError):
    """Another platform runs from the same data folder."""


def find(data: Path) -> Running | None:
    """Return the platform that runs from a data folder."""
    data = data.absolute()
    if not is_held(data):
        return None
    try:
        known = json.loads((data / "running.json").read_text())
        token = (data / "token").read_text().strip()
    except (OSError, ValueError):
        return None
    return describe(data, known["pid"], known["port"], token)


def prepare(data: Path) -> Path:
    """Make the folder where missing and return it, absolute; raises ControlError when it cannot be used."""
    data = data.absolute()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / "lock").open("ab").close()
    except OSError as error:
        raise ControlError(
            f"the data folder {data} cannot be used: {error.strerror}",
            "Name another one: --data or HERODEPLOY_LOCAL_DATA.",
        ) from error
    return data


def describe(data: Path, pid: int, port: int, token: str) -> Running:
    """Return what there is to know of a running platform."""
    return Running(pid=pid, port=port, url=f"http://{ports.HOST}:{port}", token=token, data=data)


def token_of(data: Path) -> str:
    """Return the token, made once a data folder; nobody but its owner may read it."""
    return secret_of(data, "token")


def secret_of(data: Path, name: str) -> str:
    """Return the secret of that name, made once a data folder; nobody but its owner may read it."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data / name
    if not file.exists():
        disk.write_private(file, str(uuid.uuid4()).encode())
    return file.read_text().strip()


@contextlib.contextmanager
def hold(data: Path, *, until_exit: bool = True) -> Iterator[None]:
    """Own the folder, or raise Busy; an error inside gives it back.

    Parameters:
        until_exit: go on owning it until this process has ended; else only for the block.
    """
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for attempt in range(10):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if attempt == 9:
                    hint = "Use another data folder (--data)."
                    raise Busy(f"a local platform already runs from {data}", hint) from None
                time.sleep(TICK)  # someone may be looking just now
        yield
    except BaseException:
        os.close(lock)
        raise
    if not until_exit:
        os.close(lock)


def is_held(data: Path) -> bool:
    """Tell whether a platform owns the folder; the lock ends with its process, however that ends."""
    try:
        with (data / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def wait_released(data: Path, until: float) -> bool:
    """Wait for the owner's end, until that time of the monotonic clock; False when it outlasted that."""
    while is_held(data):
        if time.monotonic() > until:
            return False
        time.sleep(TICK)
    return True
