"""Two laptops, or a laptop and CI, on one pipeline and one PostgreSQL: one at a time acts, and nothing is done twice.

Each has a state folder and a clone of its own; they share the database and the platform.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from recovery.holding import begin, files, wait_for
from support.workers import Worker, working

pytestmark = pytest.mark.recovery
Person = Any
Two = tuple[Person, Person]
READY = r"works on shop; stop it with Ctrl-C\n"


@pytest.fixture
def two(person: Callable[..., Person], gates: Path, postgres_url: str) -> Two:
    """Ann and Bob; their app can be held up."""
    ann, bob = person(files(gates)), person({"README": ""})
    shared = {
        "HERODEPLOY_DATABASE_URL": postgres_url,
        "HERODEPLOY_LOCAL_DATA": f"{ann.env['XDG_STATE_HOME']}/herodeploy/local",
    }
    ann.env |= shared | {"HERODEPLOY_ACTOR": "ann@example.com"}
    bob.env |= shared | {"HERODEPLOY_ACTOR": "bob@example.com"}
    begin(ann, gates)
    bob.git("fetch", "--quiet", str(ann.root), "main")
    bob.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    return ann, bob


def at_once(*commands: tuple[Person, tuple[str, ...]]) -> list[tuple[int, str]]:
    """Run commands side by side; return how each ended and what it said."""
    running = [
        subprocess.Popen(
            someone.command(*words),
            cwd=someone.root,
            env=someone.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for someone, words in commands
    ]
    said = [process.communicate()[0] for process in running]
    assert not any("Traceback" in each for each in said), "\n".join(said)
    return [(process.returncode, each) for process, each in zip(running, said, strict=True)]


def settle(someone: Person) -> dict[str, Any]:
    """Carry on what is open, and return the newest delivery."""
    someone.herodeploy("resume", code=None)
    return dict(someone.herodeploy("status", "--json").json()["deliveries"][0])


def acts(someone: Person) -> dict[str, int]:
    """How often the platform was asked to act."""
    return {
        "builds": len(someone.ask("/apps/shop-staging/builds")),
        "staging": len(someone.releases("shop-staging")),
        "production": len(someone.releases("shop-production")),
    }


def more(before: dict[str, int], **changes: int) -> dict[str, int]:
    return {name: count + changes.get(name, 0) for name, count in before.items()}


def test_while_one_delivers_the_other_is_told_or_waits(two: Two, gates: Path) -> None:
    ann, bob = two
    before = acts(ann)
    (gates / "build.closed").touch()
    delivering = ann.start("deliver")
    wait_for(gates / "build.reached", ann)

    refused = bob.herodeploy("deliver", code=3).err
    assert f"another herodeploy (process {delivering.pid}@" in refused
    assert bob.herodeploy("status", "--json").json()["deliveries"][0]["status"] == "running"
    with subprocess.Popen(
        bob.command("deliver", "--lock-wait", "5m"), cwd=bob.root, env=bob.env, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stderr is not None
        assert f"process {delivering.pid}@" in next(iter(waiting.stderr))
        (gates / "build.closed").unlink()
        assert delivering.wait() == 0
        waiting.communicate()
    assert waiting.returncode == 0

    statuses = [row["status"] for row in bob.herodeploy("status", "--json").json()["deliveries"]]
    assert statuses == ["waiting"]
    assert acts(ann) == more(before, builds=1, staging=1)


def test_both_deliver_the_same_commit_at_once(two: Two) -> None:
    ann, bob = two
    before = acts(ann)
    ended = at_once((ann, ("deliver",)), (bob, ("deliver",)))
    assert sorted(code for code, _ in ended)[0] == 0
    assert {code for code, _ in ended} <= {0, 3}
    assert settle(ann)["status"] == "waiting"
    assert len(ann.herodeploy("status", "--json").json()["deliveries"]) == 1
    assert acts(ann) == more(before, builds=1, staging=1)


def test_both_approve_at_once_and_it_is_promoted_once(two: Two) -> None:
    ann, bob = two
    ann.herodeploy("deliver")
    before, delivery = acts(ann), ann.waiting()
    ended = at_once((ann, ("approve", delivery)), (bob, ("approve", delivery)))
    assert {code for code, _ in ended} <= {0, 2, 3}, ended
    assert settle(bob)["status"] == "delivered"
    assert acts(ann) == more(before, production=1)
    kinds = [event["kind"] for event in ann.herodeploy("history", "--json").json()["events"]]
    assert kinds.count("delivery.delivered") == 1


def test_a_lock_and_an_approval_at_once_leave_one_of_two_stories(two: Two) -> None:
    ann, bob = two
    ann.herodeploy("deliver")
    before, delivery = acts(ann), ann.waiting()
    at_once((ann, ("approve", delivery)), (bob, ("lock", "production", "--why", "the sale")))
    [lock] = ann.herodeploy("locks", "--json").json()["locks"]
    status = settle(ann)["status"]
    assert acts(ann) == more(before, production=int(status == "delivered"))
    if status == "waiting":
        assert "the sale" in settle(ann)["reason"]
    bob.herodeploy("unlock", lock["id"])
    assert settle(ann)["status"] == "delivered"
    assert acts(ann) == more(before, production=1)


def test_with_a_worker_both_leave_it_to_that(two: Two) -> None:
    ann, bob = two
    before = acts(ann)
    with working(ann) as worker:
        worker.until(READY)
        ended = at_once((ann, ("deliver",)), (bob, ("deliver",)))
        assert [code for code, _ in ended] == [0, 0], ended
        delivery = ann.waiting()
        ended = at_once((ann, ("approve", delivery)), (bob, ("approve", delivery)))
        assert {code for code, _ in ended} <= {0, 2}, ended
        assert settle(bob)["status"] == "delivered"
        assert acts(ann) == more(before, builds=1, staging=1, production=1)
        assert worker.end() == 0


@contextmanager
def both(first: Worker, other: Person) -> Iterator[Worker]:
    """Have a second worker stand by."""
    first.until(READY)
    with working(other, "second") as second:
        second.until(rf"process {first.process.pid}@\S+ works on shop; standing by")
        yield second


def test_a_killed_worker_is_replaced_by_one_elsewhere(
    two: Two, gates: Path, record_property: Callable[[str, object], None]
) -> None:
    ann, bob = two
    before = acts(ann)
    (gates / "build.closed").touch()
    with working(ann, "ann") as first, both(first, bob) as second:
        ann.herodeploy("deliver", "--no-wait")
        wait_for(gates / "build.reached", ann)
        began = time.monotonic()
        first.end(signal.SIGKILL)
        second.until(r"(?s)works on shop.*\[staging\]")
        took = time.monotonic() - began
        (gates / "build.closed").unlink()
        second.until("waits for an approval")
        assert second.end() == 0
    assert acts(ann) == more(before, builds=1, staging=1)
    record_property("figure", f"a worker killed on another host: its leg goes on after {took:.1f} s")


def test_a_frozen_worker_is_replaced_and_ends_when_it_thaws(
    two: Two, gates: Path, record_property: Callable[[str, object], None]
) -> None:
    ann, bob = two
    lease = {"HERODEPLOY_LEASE": "8"}  # the one that lives must show it in time on a busy machine, too
    ann.env |= lease
    bob.env |= lease
    before = acts(ann)
    (gates / "build.closed").touch()
    with working(ann, "ann") as first, both(first, bob) as second:
        ann.herodeploy("deliver", "--no-wait")
        wait_for(gates / "build.reached", ann)
        began = time.monotonic()
        first.process.send_signal(signal.SIGSTOP)
        second.until(r"(?s)works on shop.*\[staging\]")
        took = time.monotonic() - began
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait() == 3
        assert "stood still for" in first.said
        (gates / "build.closed").unlink()
        second.until("waits for an approval")
        assert second.end() == 0
    assert acts(ann) == more(before, builds=1, staging=1)
    record_property("figure", f"a worker frozen on another host, lease 8 s: its leg goes on after {took:.1f} s")
