"""Two herodeploys on one pipeline: the second one says who is at it, or waits for its turn; on files and PostgreSQL."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance
Person = Any


@pytest.fixture(params=["files", "postgresql"])
def busy(
    request: pytest.FixtureRequest, shop: Person
) -> Iterator[tuple[Person, subprocess.Popen[str], Callable[[], None]]]:
    """A delivery is in its tests, until the function is called."""
    if request.param == "postgresql":
        shop.env["HERODEPLOY_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    go: Path = shop.root.parent / "go"
    shop.herodeploy("deliver")
    tests = f"echo began; until test -e {go}; do sleep 0.1; done"
    shop.replace("herodeploy.yml", "  provider: heroku", f"  provider: command\n  command: '{tests}' #")
    shop.commit("Test thoroughly", index_dot_html="two\n")
    process = subprocess.Popen(
        shop.command("deliver"),
        cwd=shop.root,
        env=shop.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("began" in line for line in process.stderr)
    yield shop, process, go.touch
    go.touch()
    process.stderr.read()
    process.wait(60)
    process.stderr.close()


def test_the_second_one_waits_for_its_turn(busy: tuple[Person, Any, Callable[[], None]]) -> None:
    shop, first, go = busy
    at = f"@{socket.gethostname()}" if "HERODEPLOY_DATABASE_URL" in shop.env else ""
    holder = f"another herodeploy (process {first.pid}{at}) works on this pipeline"
    told = f"waiting: {holder}"
    ended = shop.herodeploy("promote", "--lock-wait", "1s", code=3)
    assert ended.err.splitlines()[:2] == [
        told,
        f"Error: {holder}, still",
    ]
    second = subprocess.Popen(
        shop.command("promote", "--lock-wait", "4m"),
        cwd=shop.root,
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert second.stderr is not None
    assert second.stderr.readline() == f"{told}\n"
    go()
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    assert out.startswith("promoted shop-staging v")
    assert shop.fetch("shop-production", "/index.html") == (200, "two\n"), "what the first one put into staging"


def test_two_who_lock_and_unlock_at_once_each_do_it_once(shop: Person, postgres_url: str) -> None:
    """Four people lock at the same time; then two of them unlock them all, and each lock goes once."""
    shop.env["HERODEPLOY_DATABASE_URL"] = postgres_url
    shop.herodeploy("status")
    people = [f"p{number}@example.com" for number in range(4)]

    def at_once(*commands: tuple[str, list[str]]) -> list[str]:
        started = [
            subprocess.Popen(
                shop.command(*words),
                cwd=shop.root,
                env=shop.env | {"HERODEPLOY_ACTOR": who},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for who, words in commands
        ]
        return [process.communicate(timeout=120)[0] for process in started]

    at_once(*((who, ["lock", "--why", who]) for who in people))
    locks = shop.herodeploy("locks", "--json").json()["locks"]
    assert sorted(lock["by"] for lock in locks) == people
    said = at_once(*((who, ["unlock", lock["id"]]) for lock in locks for who in people[:2]))
    assert sum(text.startswith("unlocked production") for text in said) == len(locks), said
    events = [event["kind"] for event in shop.herodeploy("history", "-n", "50", "--json").json()["events"]]
    assert (events.count("lock.set"), events.count("lock.released")) == (4, 4)
    assert shop.herodeploy("locks").out == "nothing is locked\n"
