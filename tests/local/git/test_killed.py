"""A platform that is killed while a push goes on: nothing is left running, and the next one takes the push."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from support.platforms import spare_port

PAUSE = threading.Event()


@contextmanager
def started(data: Path, port: int, local_class: Any) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    command = [sys.executable, "-m", "herodeploy.local", "--data", str(data), "--port", str(port)]
    # The buildpack waits for a file out here and tells a pid of out here.
    env = {**os.environ, "HERODEPLOY_LOCAL_ISOLATION": "off"}
    with data.with_suffix(".out").open("ab") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            assert process.poll() is None, data.with_suffix(".out").read_text()
            with suppress(httpx.TransportError):
                if httpx.get(f"{url}/_local/status").status_code == 200:
                    break
            PAUSE.wait(0.05)
        headers = {"Authorization": f"Bearer {(data / 'token').read_text().strip()}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            yield process, local_class(url, client, data)
    finally:
        process.terminate()
        process.wait(30)


def test_a_push_that_is_killed_can_be_repeated(
    tmp_path: Path, local_class: Any, source: Callable[..., dict[str, str]], checkout: Callable[..., Any]
) -> None:
    data, gate, port = tmp_path / "data", tmp_path / "go", spare_port()
    pack = tmp_path / "pack" / "bin"
    pack.mkdir(parents=True)
    waits = f'echo "       pid $$."; until test -e {gate}; do sleep 0.05; done'
    for name, text in {"detect": "echo Patient", "compile": waits}.items():
        (pack / name).write_text(f"#!/bin/sh\n{text}\n")
        (pack / name).chmod(0o755)
    with started(data, port, local_class) as (process, local):
        app = local.app("kept")
        updates = {"updates": [{"buildpack": str(pack.parent)}]}
        local.call("PUT", "/apps/kept/buildpack-installations", updates)
        mine = checkout(local, app, source("at last"), token=(data / "token").read_text().strip())
        pushing = mine.start("push", "heroku", "main")
        pid = next(int(line.rpartition("pid ")[2].split(".")[0]) for line in pushing.stdout if "pid " in line)
        process.kill()
        pushing.communicate(timeout=60)
        assert pushing.returncode != 0
        while is_alive(pid):
            PAUSE.wait(0.05)
    gate.touch()
    with started(data, port, local_class) as (_, local):
        assert mine.git("ls-remote", "heroku") == ""
        assert "Verifying deploy... done." in mine.git("push", "heroku", "main")
        assert local.visit(app).text.startswith("at last")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
