"""One-off dynos with somebody at the other end, by a client that speaks the rendezvous protocol as the CLI does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.rendezvous import GREETING, attached, exchange, rest, until

PAUSE = threading.Event()


@pytest.fixture(scope="module")
def app(local: Any, source: Callable[..., dict[str, str]]) -> Any:
    made = local.app()
    local.deploy(made, source(Procfile="worker: true\n"))
    return made


def dyno(local: Any, app: Any, command: str, **body: Any) -> Any:
    return local.post(f"/apps/{app['id']}/dynos", {"attach": True, "command": command, **body})


def run(local: Any, app: Any, command: str, send: bytes = b"", **body: Any) -> str:
    """Run a command as the Heroku CLI does; return what it said."""
    with attached(local, dyno(local, app, command, **body)["attach_url"]) as secure:
        assert secure.recv(65536) == GREETING
        secure.sendall(send)
        return rest(secure).decode()


def test_a_command_has_a_terminal_of_the_size_that_was_told(local: Any, app: Any) -> None:
    said = run(local, app, "tty; stty size; echo $TERM", env={"COLUMNS": "91", "LINES": "17", "TERM": "xterm"})
    assert said.splitlines()[0].startswith("/dev/")
    assert said.splitlines()[1:] == ["17 91", "xterm"]


def test_the_size_may_come_as_numbers_as_the_heroku_cli_sends_it() -> None:
    from herodeploy.local.api import dynos

    assert dynos.texts({"COLUMNS": 91, "A": "b", "NO": None}) == {"COLUMNS": "91", "A": "b", "NO": None}


def test_the_exit_status_comes_as_one_piece_of_its_own(local: Any, app: Any) -> None:
    mark = "\uffff heroku-command-exit-status: $?"
    with attached(local, dyno(local, app, f'seq 1 20000; false ; echo "{mark}"')["attach_url"]) as secure:
        pieces = []
        while more := secure.recv(65536):
            pieces.append(more.decode())
    assert pieces[-1] == "\uffff heroku-command-exit-status: 1\r\n"
    assert "".join(pieces[1:-1]).split() == [str(number) for number in range(1, 20001)]
    assert not [piece for piece in pieces if piece.endswith("\r")]


def test_input_reaches_the_command_and_ends(local: Any, app: Any) -> None:
    assert run(local, app, "cat; echo over", b"line\n\x04") == "line\r\nline\r\nover\r\n"


def test_without_a_terminal_bytes_stay_as_they_are(local: Any, app: Any) -> None:
    said = run(local, app, "cat; test -t 1 || echo no terminal >&2", b"a\tb\n\x04", force_no_tty=True)
    assert said == "a\tb\nno terminal\n"


@pytest.mark.parametrize("no_tty", [True, False])
def test_much_in_both_directions_does_not_get_stuck(local: Any, app: Any, no_tty: bool) -> None:
    lines = "".join(f"{number:063d}\n" for number in range(20_000))
    with attached(local, dyno(local, app, "cat | wc -c", force_no_tty=no_tty)["attach_url"]) as secure:
        assert secure.recv(65536) == GREETING
        # A terminal echoes what is typed, and leaves some of it out where it comes faster than it is read.
        assert exchange(secure, lines.encode() + b"\x04").decode().split()[-1].endswith(str(len(lines)))


def test_ctrl_c_interrupts(local: Any, app: Any) -> None:
    with attached(
        local, dyno(local, app, "trap 'echo caught; exit' INT; echo ready; while :; do sleep 0.1; done")["attach_url"]
    ) as secure:
        until(secure, b"ready")
        secure.sendall(b"\x03")
        assert b"caught" in rest(secure)


def test_who_hangs_up_ends_the_command(local: Any, app: Any) -> None:
    begun = dyno(local, app, "echo ready; sleep 1000")
    with attached(local, begun["attach_url"]) as secure:
        until(secure, b"ready")
        assert local.get(f"/apps/{app['id']}/dynos/{begun['id']}")["state"] == "up"
    while local.get(f"/apps/{app['id']}/dynos"):
        PAUSE.wait(0.05)


def test_one_that_is_stopped_hangs_up(local: Any, app: Any) -> None:
    begun = dyno(local, app, "echo ready; sleep 1000")
    with attached(local, begun["attach_url"]) as secure:
        until(secure, b"ready")
        local.post(f"/apps/{app['id']}/dynos/{begun['name']}/actions/stop", status=202)
        rest(secure)


def test_a_secret_is_good_once_and_told_once(local: Any, app: Any) -> None:
    begun = dyno(local, app, "echo ready; cat")
    assert local.get(f"/apps/{app['id']}/dynos/{begun['id']}")["attach_url"] is None
    with attached(local, begun["attach_url"]) as first:
        until(first, b"ready")
        with attached(local, begun["attach_url"]) as second:
            assert rest(second) == b""
        with attached(local, begun["attach_url"][:-4] + "0000") as guessing:
            assert rest(guessing) == b""
        first.sendall(b"\x04")
        rest(first)


def test_nobody_comes(tmp_path: Path, run_platform: Any, source: Callable[..., dict[str, str]]) -> None:
    with run_platform(tmp_path / "data", boot_timeout=0.2) as local:
        app = local.app()
        local.deploy(app, source(Procfile="worker: true\n"))
        begun = dyno(local, app, "echo ready")
        while local.get(f"/apps/{app['id']}/dynos"):
            PAUSE.wait(0.05)
        logged = (local.data / "logs" / f"{app['id']}.log").read_text()
        assert f"heroku[{begun['name']}]: Error R13 (Attach error) -> Failed to attach to process" in logged
        with attached(local, begun["attach_url"]) as secure:
            assert rest(secure) == b""


def test_an_attached_dyno_ends_with_its_platform(
    tmp_path: Path, run_platform: Any, source: Callable[..., dict[str, str]]
) -> None:
    with run_platform(tmp_path / "data") as local:
        app = local.app()
        local.deploy(app, source(Procfile="worker: true\n"))
        mark = f"1000.{os.getpid()}"
        with attached(local, dyno(local, app, f"echo ready; sleep {mark}")["attach_url"]) as secure:
            until(secure, b"ready")
            while not runs(f"sleep {mark}"):
                PAUSE.wait(0.05)
    while runs(f"sleep {mark}"):
        PAUSE.wait(0.05)


def runs(command: str) -> bool:
    """Tell whether a process of this machine runs just that command; its pid may be another one for itself."""
    if sys.platform.startswith("linux"):
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found.append(file.read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace"))
        return command in found
    listed = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    return command in listed.stdout.splitlines()
