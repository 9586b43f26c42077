"""The platform as a process of its own: `python -m herodeploy.local`, told to stop, and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.platforms import spare_port

Source = Callable[..., dict[str, str]]

SLOW = "until test -e {gate}; do sleep 0.05; done"


def until(question: Callable[[], Any], seconds: float = 30) -> Any:
    """Ask again and again until the answer is true; what cannot be asked yet counts as no."""
    pause, end = threading.Event(), time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if answer := question():
                return answer
        pause.wait(0.05)
    raise AssertionError("it never happened")


def left_over(folder: Path) -> set[int]:
    """Return the processes that work in a folder, or see it as a mount of theirs; also those that cannot see us."""
    if not sys.platform.startswith("linux"):
        found = subprocess.run(["lsof", "-t", "+D", str(folder)], capture_output=True, text=True, check=False)
        return set(map(int, found.stdout.split()))
    pids = set()
    mark = "/".join(folder.parts[-4:]) + "/"  # of the whole path mountinfo may show the part below a mount alone
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            mounted = process.name.isdigit() and mark in (process / "mountinfo").read_text()
            if mounted or (process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder)):
                pids.add(int(process.name))
    return pids


@contextmanager
def started(data: Path, port: int, client_of: Callable[..., Any]) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    command = [sys.executable, "-m", "herodeploy.local", "--data", str(data), "--port", str(port)]
    env = {**os.environ, "HERODEPLOY_LOCAL_STOP_TIMEOUT": "2", "SECRET_OF_THE_USER": "hush"}
    output = data.with_suffix(".out")
    with output.open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: process.poll() is not None or httpx.get(f"{url}/_local/status").status_code == 200)
        assert process.poll() is None, output.read_text()
        with client_of(url, (data / "token").read_text().strip()) as client:
            yield process, client
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def client_of(local_class: Any, tmp_path: Path) -> Callable[..., Any]:
    @contextmanager
    def make(url: str, token: str) -> Iterator[Any]:
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            yield local_class(url, client, tmp_path)

    return make


def port_source(source: Source, text: str, **files: str) -> Mapping[str, str]:
    """Return an app whose answer ends with the port of its web dyno."""
    made = source(text, **files)
    return made | {"serve.py": made["serve.py"].replace("self.path).encode()", "os.environ['PORT']).encode()")}


def test_everything_comes_back_after_kill_9_and_nothing_is_left_running(
    tmp_path: Path, source: Source, client_of: Callable[..., Any]
) -> None:
    data, port, gate = tmp_path / "data", spare_port(), tmp_path / "go"
    with started(data, port, client_of) as (process, local):
        app, building, releasing = local.app("kept"), local.app(), local.app()
        local.patch("/apps/kept/config-vars", {"GREETING": "hi"})
        local.deploy(app, port_source(source, "kept"))
        text = local.visit(app).text
        dyno_port, address = int(text.split()[-1]), local.address(app)
        pack = slow_buildpack(tmp_path, gate)
        url = local.upload({"x": "y"})
        body = {"source_blob": {"url": url}, "buildpacks": [{"url": str(pack)}]}
        build = local.post(f"/apps/{building['id']}/builds", body)
        until(lambda: (tmp_path / "compiling").exists())
        waiting = local.build(releasing, source("x", Procfile=f"web: x\nrelease: {SLOW.format(gate=gate)}\n"))
        assert len(left_over(data)) >= 3
        process.kill()
        process.wait()
        until(lambda: not left_over(data))
    with started(data, port, client_of) as (_, local):
        assert local.get("/apps/kept/config-vars") == {"GREETING": "hi"}
        assert local.current(app)["version"] == 4
        assert local.address(app) == address
        answer = local.visit(app).text
        assert answer.startswith("kept hi ")
        assert int(answer.split()[-1]) != dyno_port
        cut = local.get(f"/apps/{building['id']}/builds/{build['id']}")
        assert (cut["status"], cut["release"]) == ("failed", None)
        assert "cut off" in local.read(cut["output_stream_url"])
        release = local.get(f"/apps/{releasing['id']}/releases/{waiting['release']['id']}")
        assert (release["status"], release["current"]) == ("failed", False)
        assert local.deploy(releasing, source("y"))["status"] == "succeeded"


def test_what_is_kept_is_nobody_elses_to_read(tmp_path: Path, run_platform: Any) -> None:
    """Also in a folder that was there before, open to all."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    with run_platform(data) as local:
        local.app("kept")
        for name in ("state.db", "state.db-wal", "slugs", "sources", "streams", "logs", "caches", "work"):
            assert (data / name).stat().st_mode & 0o077 == 0, name


def test_told_to_stop_it_ends_with_all_its_dynos(tmp_path: Path, source: Source, client_of: Callable[..., Any]) -> None:
    with started(tmp_path / "data", spare_port(), client_of) as (process, local):
        app = local.app()
        local.deploy(app, source("x"))
        assert local.visit(app).status_code == 200
        assert left_over(tmp_path / "data")
        with httpx.stream("GET", local.post(f"/apps/{app['id']}/log-sessions", {"tail": True})["logplex_url"]) as tail:
            next(tail.iter_lines())
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        assert not left_over(tmp_path / "data")


def test_dynos_and_builds_get_none_of_the_users_environment(
    tmp_path: Path, source: Source, client_of: Callable[..., Any]
) -> None:
    with started(tmp_path / "data", spare_port(), client_of) as (_, local):
        app = local.app()
        release = local.deploy(app, source(Procfile="web: python3 serve.py\nrelease: env\n"))
        shown = local.read(release["output_stream_url"])
        assert "DYNO=release." in shown
        assert "SECRET_OF_THE_USER" not in shown
        assert "HERODEPLOY" not in shown


def slow_buildpack(folder: Path, gate: Path) -> Path:
    pack = folder / "slow"
    (pack / "bin").mkdir(parents=True)
    scripts = {"detect": "echo slow", "compile": f"echo $$ > {folder}/compiling; {SLOW.format(gate=gate)}"}
    for name, text in scripts.items():
        (pack / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (pack / "bin" / name).chmod(0o755)
    return pack
