"""How long `deliver` takes for an app that needs no building: from the command to production, split by leg.

Limit: under 10 s, in deployment mode, CI included. Prints the median of five deliveries; judges nothing.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS = 5
FILES = {
    "Procfile": 'web: python3 -m http.server "$PORT" --bind 127.0.0.1\n',
    "index.html": "hello\n",
    "app.json": '{"environments": {"test": {"scripts": {"test": "true"}}}}\n',
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, env = Path(folder, "noop"), surroundings(folder)
        set_up(root, env)
        try:
            runs = [deliver(root, env, number) for number in range(RUNS)]
        finally:
            herodeploy(root, env, "local", "stop")
    print(f"{'part':<12} {'median':>8} {'max':>8}   seconds, {RUNS} deliveries; limit 10 for the whole")
    for part in runs[0]:
        values = [run[part] for run in runs]
        print(f"{part:<12} {statistics.median(values):8.2f} {max(values):8.2f}")


def surroundings(folder: str) -> dict[str, str]:
    """Return an environment that points at no platform and no database but those in this folder."""
    dropped = ("HEROKU_", "HERODEPLOY_", "GIT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"XDG_STATE_HOME": f"{folder}/state"}


def set_up(root: Path, env: dict[str, str]) -> None:
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "Bench")
    git(root, "config", "user.email", "bench@example.com")
    herodeploy(root, env, "init", "--platform", "local", "--name", "noop", "--yes")
    commit(root, "Begin")
    herodeploy(root, env, "apply")
    herodeploy(root, env, "mode", "deployment", "--why", "benchmark")


def deliver(root: Path, env: dict[str, str], number: int) -> dict[str, float]:
    (root / "index.html").write_text(f"{number}\n")
    commit(root, f"Change {number}")
    began = time.time()
    herodeploy(root, env, "deliver")
    whole = time.time() - began
    events = json.loads(herodeploy(root, env, "history", "--json", "--limit", "200"))["events"]
    return legs(events, began) | {"whole": whole}


def legs(events: list[dict[str, Any]], began: float) -> dict[str, float]:
    """Return seconds by leg: from its first event to the next leg's."""
    from datetime import datetime

    mine = sorted((datetime.fromisoformat(e["at"]).timestamp(), e) for e in events if e["at"])
    starts = [(at, e["stage"]) for at, e in mine if at >= began - 1 and e["kind"] == "leg.started"]
    ends = [at for at, e in mine if at >= began - 1]
    edges = [*starts, (max(ends, default=began), "")]
    return {stage: following[0] - at for (at, stage), following in itertools.pairwise(edges)}


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


def herodeploy(root: Path, env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "herodeploy", *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"herodeploy {' '.join(arguments)} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
