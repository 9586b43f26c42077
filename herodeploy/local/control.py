"""Starts, finds and stops local platforms; one data folder, one platform.

Files in the data folder: ``lock`` (held while a platform runs), ``token``, ``port`` (the last one), ``running.json``
(pid and port of the running one) and ``platform.log``, beside what `Settings` names.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from herodeploy.local import folders, ports
from herodeploy.local.folders import Busy, ControlError, Running, find
from herodeploy.local.postgres import admin
from herodeploy.local.postgres.unavailable import Unavailable
from herodeploy.local.process.sandbox import HINT, IsolationUnavailable
from herodeploy.local.settings import Settings, from_text

__all__ = [
    "Busy",
    "ControlError",
    "Running",
    "default_data",
    "find",
    "overrides",
    "reset",
    "serve",
    "start",
    "stop",
]

FIRST_PORT = 5333
STOP_TIMEOUT = 45.0
TICK = 0.02
OURS = (
    "state.db",
    "state.db-wal",
    "state.db-shm",
    "clock",
    "token",
    "control-token",
    "port",
    "running.json",
    "platform.log",
    "processes",
    "lock",
)


def default_data() -> Path:
    """Return the folder of the platform that is used where no other is named."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "herodeploy" / "local"


def start(data: Path, port: int | None = None, timeout: float = 30) -> Running:
    """Start the platform of a data folder in the background; returns once it answers.

    Parameters:
        port: by default the one it had last, else 5333, else any free one.
        timeout: seconds until it must answer.

    Returns:
        The running one, where there is one already.

    Raises:
        ControlError: the port is in use, the folder cannot be used, or it ended right away.
    """
    data = folders.prepare(data)
    running = _obtain(data, port, time.monotonic() + timeout)
    if port is not None and running.port != port:
        raise ControlError(
            f"the local platform of {data} already runs on port {running.port}",
            "Stop it first (herodeploy local stop), or use another data folder (--data).",
        )
    return running


def stop(data: Path) -> bool:
    """Stop the platform of a data folder and wait for its end; False when none runs."""
    data = data.absolute()
    until = time.monotonic() + STOP_TIMEOUT
    while (running := find(data)) is None and folders.is_held(data):
        if time.monotonic() > until:
            raise ControlError(f"the local platform of {data} neither started nor ended")
        time.sleep(TICK)  # it is just starting or ending
    if running is None:
        return False
    _signal(running.pid, signal.SIGTERM)
    if not folders.wait_released(data, until):
        _signal(running.pid, signal.SIGKILL)
        folders.wait_released(data, time.monotonic() + 5)
    return True


def reset(data: Path) -> None:
    """Forget everything that a stopped platform keeps: apps, releases, logs, its token.

    Raises:
        ControlError: it runs.
    """
    data = data.absolute()
    if folders.is_held(data):
        raise ControlError(f"the local platform of {data} is running", "Stop it first: herodeploy local stop")
    settings = Settings(data)
    filled = (
        *(settings.slugs, settings.sources, settings.caches, settings.streams, settings.logs),
        *(settings.work, settings.repositories, settings.certificates),
    )
    try:
        for path in [*filled, settings.postgres, *(data / name for name in OURS)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise ControlError(f"cannot remove {error.filename}: {error.strerror}") from error
    with contextlib.suppress(OSError):  # something of the user's is in it, or it never was there
        data.rmdir()


def serve(data: Path, port: int | None = None, ready: Callable[[Running], None] | None = None) -> None:
    """Run a platform in this process until SIGTERM or SIGINT.

    Parameters:
        ready: called once it answers.

    Raises:
        ControlError: as of `start`.
    """
    from herodeploy.local import serving

    data = folders.prepare(data)
    with folders.hold(data):
        (data / "running.json").unlink(missing_ok=True)
        token = folders.token_of(data)
        settings = Settings(data, port=_choose(data, port), **overrides())

        def announce(port: int) -> None:
            running = folders.describe(data, os.getpid(), port, token)
            (data / "port").write_text(str(port))
            fresh = data / "running.json.new"
            fresh.write_text(json.dumps({"pid": running.pid, "port": port, "started": int(time.time())}))
            fresh.replace(data / "running.json")
            if ready is not None:
                ready(running)

        def farewell() -> None:
            (data / "running.json").unlink(missing_ok=True)

        try:
            serving.run(settings, token, announce, farewell)
        except IsolationUnavailable as error:
            raise ControlError(f"isolation is required, but {error}", HINT) from error
        except OSError as error:
            raise _refused(error, settings) from error
        finally:
            farewell()


def overrides() -> dict[str, Any]:
    """Return the settings that HERODEPLOY_LOCAL_BOOT_TIMEOUT and its like set.

    Raises:
        ControlError: the value is none that the setting can have.
    """
    found: dict[str, Any] = {}
    for setting in fields(Settings):
        name = f"HERODEPLOY_LOCAL_{setting.name.upper()}"
        if name in os.environ:
            with contextlib.suppress(KeyError):
                found[setting.name] = _setting(setting.name, name)
    if os.environ.get(admin.SETTING):
        found["postgres_url"] = _checked(os.environ[admin.SETTING])
    return found


def _setting(setting: str, variable: str) -> Any:
    try:
        return from_text(setting, os.environ[variable])
    except ValueError as error:
        raise ControlError(f"{variable} is {os.environ[variable]!r}, {error}") from None


def _checked(url: str) -> str:
    try:
        admin.parse(url)
    except Unavailable as problem:
        raise ControlError(str(problem)) from None
    return url


def _obtain(data: Path, port: int | None, until: float) -> Running:
    """Find the platform or launch it; wait where another process is just starting or stopping it."""
    while time.monotonic() < until:
        running = find(data)
        if running is None and not folders.is_held(data):
            running = _launch(data, port, until)
        if running is not None:
            return running
        time.sleep(TICK)
    raise ControlError(f"another process holds {data / 'lock'}", "Use another data folder (--data).")


def _launch(data: Path, port: int | None, until: float) -> Running | None:
    """Start a platform; None when another came first."""
    argv = [sys.executable, "-P", "-m", "herodeploy.local", "--data", str(data), "--detach"]
    if port is not None:
        argv += ["--port", str(port)]
    with (data / "platform.log").open("ab") as log:
        began = log.tell()
        with subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        ) as child:
            said = _listen(child, until)
    if "port" in said:
        return _answering(folders.describe(data, said["pid"], said["port"], (data / "token").read_text().strip()))
    if said.get("busy"):
        return None
    if "error" in said:
        raise ControlError(said["error"], said["hint"])
    if "pid" in said:
        _signal(said["pid"], signal.SIGTERM)
    last = _last_line(data / "platform.log", began)
    what = "did not answer in time" if time.monotonic() >= until else "ended while it started"
    raise ControlError(f"the local platform {what}{last and ': ' + last}", f"Its log is {data / 'platform.log'}")


def _listen(child: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
    """Gather what the starting platform says, one JSON object a line, until it is ready, gone or late."""
    assert child.stdout is not None  # noqa: S101 # for the type checker
    said: dict[str, Any] = {}
    rest = b""
    # Not `select`: whoever starts a platform may have more than 1,024 files open.
    ready = select.poll()
    ready.register(child.stdout, select.POLLIN)
    while (left := until - time.monotonic()) > 0 and ready.poll(left * 1000):
        piece = os.read(child.stdout.fileno(), 4096)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            said |= json.loads(line)
        if not piece:
            break
    return said


def _answering(running: Running) -> Running:
    connection = http.client.HTTPConnection(ports.HOST, running.port, timeout=10)
    try:
        connection.request("GET", "/_local/status")
        status = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ControlError(f"the local platform at {running.url} does not answer: {error}") from error
    finally:
        connection.close()
    if status.get("pid") != running.pid:
        raise ControlError(f"something else answers at {running.url}")
    isolation = status["isolation"]
    return replace(running, not_isolated="" if isolation["on"] or isolation["off"] else isolation["why_not"])


def _choose(data: Path, port: int | None) -> int:
    """Return the port asked for, or the first of our favourites that is free; 0 stands for any."""
    if port is not None:
        return port
    with contextlib.suppress(OSError, ValueError):
        last = int((data / "port").read_text())
        if _is_free(last):
            return last
    return FIRST_PORT if _is_free(FIRST_PORT) else 0


def _is_free(port: int) -> bool:
    try:
        ports.listen(port).close()
    except (OSError, OverflowError):
        return False
    return True


def _refused(error: OSError, settings: Settings) -> ControlError:
    if error.errno == errno.EADDRINUSE:
        hint = "Choose another one (--port), or stop what listens there."
        return ControlError(f"port {settings.port} of {ports.HOST} is in use", hint)
    if error.errno == errno.EACCES and error.filename is None:
        return ControlError(f"port {settings.port} may not be used", "Choose one above 1023 (--port).")
    return ControlError(f"the local platform cannot run: {error}", f"Is there room in {settings.data}?")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _last_line(file: Path, began: int) -> str:
    lines = file.read_bytes()[began:].decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
