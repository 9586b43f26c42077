from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.platforms import spare_port

from herodeploy.local import control, ports
from herodeploy.local.control import ControlError, Running


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    control.stop(folder)


def fetch(running: Running, path: str, token: str | None = None) -> tuple[int, object]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_start_stop_and_start_again_on_the_same_port_with_the_same_token(data: Path) -> None:
    port = spare_port()
    first = control.start(data, port)
    assert (first.port, first.url) == (port, f"http://127.0.0.1:{port}")
    status, told = fetch(first, "/_local/status")
    assert isinstance(told, dict)
    assert (status, told["platform"], told["pid"]) == (200, "herodeploy-local", first.pid)
    assert fetch(first, "/account")[0] == 401
    assert fetch(first, "/account", first.token)[0] == 200
    assert control.find(data) == first
    assert control.start(data) == first
    assert control.stop(data) is True
    assert control.find(data) is None
    assert control.stop(data) is False
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    again = control.start(data)
    assert (again.port, again.token) == (port, first.token)
    assert again.pid != first.pid


def test_the_token_is_for_the_owner_alone(data: Path) -> None:
    running = control.start(data, spare_port())
    assert stat.S_IMODE((data / "token").stat().st_mode) == 0o600
    assert running.token not in repr(running)
    assert running.token == (data / "token").read_text()


def test_several_starts_at_once_get_the_same_platform(data: Path) -> None:
    port = spare_port()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: control.start(data, port), range(3)))
    assert len({running.pid for running in found}) == 1


def test_platforms_of_two_folders_run_side_by_side(data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    try:
        one, two = control.start(data), control.start(other)
        assert one.port != two.port
        assert one.token != two.token
    finally:
        control.stop(other)


def test_port_in_use(data: Path) -> None:
    with ports.listen() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ControlError, match=f"port {port} of 127.0.0.1 is in use") as caught:
            control.start(data, port)
    assert "--port" in caught.value.hint
    assert control.find(data) is None


def test_another_port_than_the_running_one(data: Path) -> None:
    running = control.start(data, spare_port())
    with pytest.raises(ControlError, match=f"already runs on port {running.port}"):
        control.start(data, spare_port())


def test_unusable_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ControlError, match="cannot be used: Not a directory") as caught:
        control.start(tmp_path / "file" / "data")
    assert "--data" in caught.value.hint


def test_bad_setting(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERODEPLOY_LOCAL_BOOT_TIMEOUT", "soon")
    with pytest.raises(ControlError, match="HERODEPLOY_LOCAL_BOOT_TIMEOUT is 'soon', not a number"):
        control.start(data, spare_port())
    monkeypatch.setenv("HERODEPLOY_LOCAL_BOOT_TIMEOUT", "1.5")
    assert control.overrides()["boot_timeout"] == 1.5


@pytest.mark.parametrize(
    ("name", "bad", "reason", "good", "value"),
    [
        ("SLUG_LIMIT", "500M", "not a number of bytes", "1000", 1000),
        ("SLUG_LIMIT", "0", "not a number of bytes", "1", 1),
        ("ISOLATION", "yes", "none of auto, off, required", "required", "required"),
        ("ISOLATION_PATHS", "here", "not a list of absolute paths", "/a:~/b", (Path("/a"), Path.home() / "b")),
    ],
)
def test_settings_that_are_no_seconds(
    name: str, bad: str, reason: str, good: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HERODEPLOY_LOCAL_{name}", bad)
    with pytest.raises(ControlError, match=f"HERODEPLOY_LOCAL_{name} is '{bad}', {reason}"):
        control.overrides()
    monkeypatch.setenv(f"HERODEPLOY_LOCAL_{name}", good)
    assert control.overrides()[name.lower()] == value


def test_what_is_no_setting_of_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERODEPLOY_LOCAL_PORT", "1")
    monkeypatch.setenv("HERODEPLOY_LOCAL_BUILDS_AT_ONCE", "1")
    assert not {"port", "builds_at_once"} & set(control.overrides())


def without_bubblewrap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bubblewrap be found that may do nothing here."""
    folder.mkdir()
    (folder / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2; exit 1\n")
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is Linux's")
def test_without_isolation_it_says_so_and_runs(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_bubblewrap(tmp_path / "bin", monkeypatch)
    reason = "bubblewrap does not work here: bwrap: No permissions to create a new namespace"
    running = control.start(data, spare_port())
    _, told = fetch(running, "/_local/status")
    assert isinstance(told, dict)
    assert told["isolation"] == {"on": False, "off": False, "why_not": reason}
    assert (running.not_isolated, control.start(data).not_isolated) == (reason, ""), "it is told once"
    assert (data / "platform.log").read_text().count(f"builds and dynos are not isolated: {reason}") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is Linux's")
def test_without_required_isolation_it_does_not_start(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bubblewrap(tmp_path / "bin", monkeypatch)
    monkeypatch.setenv("HERODEPLOY_LOCAL_ISOLATION", "required")
    with pytest.raises(ControlError, match="isolation is required, but bubblewrap does not work here") as caught:
        control.start(data, spare_port())
    assert "Install bubblewrap" in caught.value.hint
    assert control.find(data) is None
    monkeypatch.setenv("HERODEPLOY_LOCAL_ISOLATION", "off")
    running = control.start(data)
    _, told = fetch(running, "/_local/status")
    assert isinstance(told, dict)
    assert told["isolation"] == {"on": False, "off": True, "why_not": "it is switched off"}
    assert running.not_isolated == ""


def test_a_platform_that_breaks_while_starting_says_why(data: Path) -> None:
    data.mkdir()
    (data / "state.db").write_text("this is no database" * 100)
    with pytest.raises(ControlError, match="not a database") as caught:
        control.start(data, spare_port())
    assert "platform.log" in caught.value.hint


def test_kill_9_and_start_again(data: Path) -> None:
    first = control.start(data, spare_port())
    os.kill(first.pid, signal.SIGKILL)
    pause = threading.Event()
    while control.find(data) is not None:
        pause.wait(0.01)
    second = control.start(data)
    assert (second.port, second.token) == (first.port, first.token)


def test_reset_forgets_and_spares_what_is_not_ours(data: Path) -> None:
    running = control.start(data, spare_port())
    with pytest.raises(ControlError, match="is running"):
        control.reset(data)
    control.stop(data)
    (data / "mine.txt").write_text("keep")
    control.reset(data)
    assert [path.name for path in data.iterdir()] == ["mine.txt"]
    assert control.start(data, running.port).token != running.token
    control.stop(data)
    (data / "mine.txt").unlink()
    control.reset(data)
    assert not data.exists()
    control.reset(data)


def test_foreground(data: Path) -> None:
    argv = [sys.executable, "-m", "herodeploy.local", "--data", str(data), "--port", str(spare_port())]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as platform:
        assert platform.stdout is not None
        pid = json.loads(platform.stdout.readline())["pid"]
        port = json.loads(platform.stdout.readline())["port"]
        running = control.find(data)
        assert running is not None
        assert (running.pid, running.port) == (pid, port) == (platform.pid, port)
        platform.send_signal(signal.SIGINT)
        assert platform.wait(20) == 0
    assert not (data / "running.json").exists()


def test_a_platform_whose_folder_is_deleted_ends(data: Path) -> None:
    argv = [sys.executable, "-m", "herodeploy.local", "--data", str(data), "--port", str(spare_port())]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as platform:
        assert platform.stdout is not None
        platform.stdout.readline()
        platform.stdout.readline()
        shutil.rmtree(data)
        platform.wait(60)


def test_default_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert control.default_data() == tmp_path / "herodeploy" / "local"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert control.default_data() == tmp_path / ".local" / "state" / "herodeploy" / "local"
