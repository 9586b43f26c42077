"""How long `herodeploy promote` takes for 20 apps in one wave against one app, each API call 200 ms late.

Limit: at most 1.3 times one app's time. Prints medians of the whole command, and the API calls that it made; judges
nothing. The app starts in milliseconds and without isolation, as 20 dynos share this machine with what is measured.
"""

from __future__ import annotations

import io
import json
import os
import socket
import statistics
import subprocess
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from shop import herodeploy, surroundings

from herodeploy.domain.secret import Secret
from herodeploy.heroku.session import Session
from herodeploy.local import control
from herodeploy.local.rehearsal.client import Control

RUNS = 5
LATENCY = 0.2
MANY = 20
SERVE = """\
import posix, _socket
port = _socket.socket(2, 1)
port.setsockopt(1, 2, 1)
port.bind(("127.0.0.1", int(posix.environ[b"PORT"])))
port.listen(20)
while True:
    fd, _ = port._accept()
    client = _socket.socket(2, 1, 0, fd)
    client.recv(4096)
    client.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n")
    client.close()
"""
FILES = {"Procfile": "web: exec python3 -ISu serve.py\nrelease: echo migrated\n", "serve.py": SERVE}
CONFIG = """\
pipeline: {name}
platform: local
ci: {{provider: none}}
stages:
  staging:
    apps: [{name}-staging]
  production:
    apps: {apps}
    verify: {{path: /, within: 30s, passes: 2}}
"""
PLATFORM = {
    "HERODEPLOY_LOCAL_ISOLATION": "off",
    "HERODEPLOY_LOCAL_RATE_LIMIT": "10000000",
    "HERODEPLOY_LOCAL_STOP_TIMEOUT": "2",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, env = (
            Path(folder, "shop"),
            surroundings(Path(folder)) | {"HERODEPLOY_LOCAL_DATA": f"{folder}/platform"} | PLATFORM,
        )
        os.environ.update(PLATFORM)
        data = Path(folder, "platform")
        running = control.start(data, free_port())
        try:
            session = Session(running.url, Secret(running.token))
            commands = Control(running.url, (data / "control-token").read_text())
            set_up(root, env)
            slugs = {name: two_slugs(session, f"{name}-staging") for name in ("one", "many")}
            runs = [measured(root, env, session, commands, slugs, number) for number in range(RUNS + 1)][1:]
            session.close()
        finally:
            control.stop(data)
    show(runs)


def show(runs: list[dict[str, tuple[float, Counter[str]]]]) -> None:
    times = {name: [run[name][0] for run in runs] for name in ("one", "many")}
    one, many = (statistics.median(times[name]) for name in ("one", "many"))
    print(
        f"{'apps':>6} {'median':>8} {'min':>8} {'max':>8} {'calls':>6}   seconds, {RUNS} promotions; {LATENCY} s a call"
    )
    for name, apps in (("one", 1), ("many", MANY)):
        calls = statistics.median(sum(run[name][1].values()) for run in runs)
        median, least, most = statistics.median(times[name]), min(times[name]), max(times[name])
        print(f"{apps:>6} {median:8.2f} {least:8.2f} {most:8.2f} {calls:6.0f}")
    print(f"ratio {many / one:.2f} (limit 1.3)\n\n{'call':<54} {'1 app':>6} {MANY:>3} apps")
    last = runs[-1]
    for call in sorted({*last["one"][1], *last["many"][1]}):
        print(f"{call:<54} {last['one'][1][call]:6} {last['many'][1][call]:8}")


def measured(
    root: Path, env: dict[str, str], session: Session, commands: Control, slugs: dict[str, list[str]], number: int
) -> dict[str, tuple[float, Counter[str]]]:
    """Promote to one app and to many, and return seconds and calls of each."""
    found = {}
    for name in ("one", "many"):
        release(session, f"{name}-staging", slugs[name][number % 2])
        commands.forget_requests()
        fault = commands.fault("latency", count=None, seconds=LATENCY)
        began = time.monotonic()
        herodeploy(root, env, "promote", "--config", f"{name}.yml")
        seconds = time.monotonic() - began
        commands.clear_faults(fault["id"])
        found[name] = (seconds, Counter(kind(each) for each in commands.requests()))
    return found


def kind(noted: dict[str, Any]) -> str:
    parts = noted["path"].strip("/").split("/")
    shown = [part if at % 2 == 0 or parts[0] == "filters" else "*" for at, part in enumerate(parts)]
    return f"{noted['method']} /{'/'.join(shown)}"


def set_up(root: Path, env: dict[str, str]) -> None:
    root.mkdir()
    for name, apps in (("one", 1), ("many", MANY)):
        named = json.dumps([f"{name}-{number}" for number in range(apps)])
        (root / f"{name}.yml").write_text(CONFIG.format(name=name, apps=named))
    for file, text in FILES.items():
        (root / file).write_text(text)
    for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "Begin")):
        subprocess.run(
            ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.com", *arguments], cwd=root, check=True
        )
    for name in ("one", "many"):
        herodeploy(root, env, "apply", "--config", f"{name}.yml")


def two_slugs(session: Session, app: str) -> list[str]:
    return [build(session, app, f"{number:040}") for number in (1, 2)]


def build(session: Session, app: str, version: str) -> str:
    blob = session.post("/sources", {})["source_blob"]
    with tempfile.NamedTemporaryFile() as file:
        file.write(tarball())
        file.flush()
        session.upload(blob["put_url"], Path(file.name))
    began = session.post(f"/apps/{app}/builds", {"source_blob": {"url": blob["get_url"], "version": version}})
    path = f"/apps/{app}/builds/{began['id']}"
    while (found := session.get(path))["status"] == "pending" or not found["release"]:
        time.sleep(0.05)  # the API has no event for it
    settled(session, app)
    return str(found["slug"]["id"])


def release(session: Session, app: str, slug: str) -> None:
    session.post(f"/apps/{app}/releases", {"slug": slug})
    settled(session, app)


def settled(session: Session, app: str) -> None:
    while any(each["status"] == "pending" for each in session.list(f"/apps/{app}/releases", "version")):
        time.sleep(0.05)  # the API has no event for it


def tarball() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
